from __future__ import annotations

from typing import Any

import pytest
from jsonschema import Draft202012Validator

from aispine.flow.misfit import words


@pytest.mark.parametrize(
    ("schema", "value", "said"),
    [
        ({"type": "string"}, True, ["must be a string; it is true"]),
        ({"type": ["integer", "null"]}, {"a": None}, ['must be an integer or null; it is {"a": null}']),
        ({"required": ["a", "b", "c"]}, {"b": 1}, ["`a` is required", "`c` is required"]),
        (
            {"additionalProperties": False, "properties": {"a": {}}},
            {"a": 1, "b": 2, "c": 3},
            ["has keys that are not known: `b`, `c`"],
        ),
        ({"enum": ["x", None]}, "y", ['must be one of "x", null; it is "y"']),
        ({"const": 1}, 2, ["must be 1; it is 2"]),
        ({"minimum": 1}, 0.5, ["must be at least 1; it is 0.5"]),
        ({"minLength": 1}, "", ['must have a length of at least 1; it is ""']),
        ({"maxItems": 1}, [None, True], ["must have at most 1 items; it is [null, true]"]),
        ({"pattern": "^a"}, "b", ['must match the pattern `^a`; it is "b"']),
        ({"type": "null"}, "x" * 100, ['must be null; it is "' + "x" * 59 + "..."]),
    ],
)
def test_a_misfit_is_told_in_the_words_of_json(schema: Any, value: Any, said: list[str]) -> None:
    assert [words(error, schema) for error in Draft202012Validator(schema).iter_errors(value)] == said


def test_what_has_no_words_keeps_those_of_the_validator() -> None:
    (error,) = Draft202012Validator({"not": {}}).iter_errors(1)
    assert words(error, {"not": {}}) == error.message
