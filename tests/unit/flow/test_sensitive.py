"""What schemas mark as sensitive is found, hidden, and not told by misfits."""

from __future__ import annotations

from typing import Any

import pytest
from jsonschema import Draft202012Validator

from aispine.flow.misfit import words
from aispine.flow.sensitive import HIDDEN, Veil, is_marked, places, texts

SSN: dict[str, Any] = {"type": "string", "x-sensitive": True}


def _person(**properties: Any) -> dict[str, Any]:
    return {"type": "object", "properties": {"name": {"type": "string"}, **properties}}


@pytest.mark.parametrize(
    ("schema", "value", "found"),
    [
        (_person(ssn=SSN), {"name": "Ada", "ssn": "123-45"}, {("ssn",)}),
        (_person(ssn=SSN), {"name": "Ada"}, set()),
        (_person(ssn=SSN), "no object", set()),
        (_person(ids={"type": "array", "items": SSN}), {"ids": ["a", "b"]}, {("ids", 0), ("ids", 1)}),
        ({"additionalProperties": SSN}, {"x": 1}, {("x",)}),
        ({"$ref": "#/$defs/p", "$defs": {"p": _person(ssn=SSN)}}, {"ssn": 1}, {("ssn",)}),
        ({"anyOf": [{"type": "null"}, _person(ssn=SSN)]}, {"ssn": 1}, {("ssn",)}),
        ({"if": {"required": ["x"]}, "else": _person(ssn=SSN)}, {"x": 1, "ssn": 2}, {("ssn",)}),
        ({"x-sensitive": True}, [1], {()}),
        (_person(ssn={"x-sensitive": False}), {"ssn": 1}, set()),
    ],
)
def test_the_places_are_found_however_the_schema_leads_there(schema: Any, value: Any, found: set[Any]) -> None:
    assert set(places(schema, value)) == found
    assert is_marked(schema) or not found


def test_texts_are_found_below_a_place_and_short_ones_left_out() -> None:
    schema = _person(doc={"x-sensitive": True})
    value = {"name": "Ada", "doc": {"number": 123456, "sex": "F", "lines": ["P<UTO", True, None]}}
    assert texts(schema, value) == {"123456", "P<UTO"}


def test_a_value_is_covered_at_its_place_and_hidden_everywhere_else() -> None:
    schema = _person(ssn=SSN, sex={"x-sensitive": True})
    value = {"name": "Ada", "ssn": "123-45", "sex": "F"}
    veil = Veil(texts(schema, value))
    assert veil.cover(schema, value) == {"name": "Ada", "ssn": HIDDEN, "sex": HIDDEN}
    assert value["ssn"] == "123-45"
    assert veil.hide({"said": ["her number is 123-45.", "F"], "123-45": 7}) == {
        "said": [f"her number is {HIDDEN}.", "F"],
        HIDDEN: 7,
    }
    assert Veil(frozenset({"123456"})).hide([123456, 1234567, 123456.0, True]) == [HIDDEN, 1234567, 123456.0, True]


@pytest.mark.parametrize(
    "schema",
    [
        _person(ssn={"type": "integer", "x-sensitive": True}),
        _person(ssn={"x-sensitive": True, "allOf": [{"type": "integer"}]}),
        {**_person(ssn={"$ref": "#/$defs/n"}), "$defs": {"n": {"type": "integer", "x-sensitive": True}}},
        {**_person(ssn=SSN), "type": "array"},
        {**_person(ssn=SSN), "maxProperties": 0},
    ],
)
def test_a_misfit_does_not_tell_what_is_sensitive(schema: Any) -> None:
    errors = list(Draft202012Validator(schema).iter_errors({"ssn": "123-45"}))
    assert errors
    for error in errors:
        assert "123-45" not in words(error, schema)


def test_a_misfit_beside_it_is_told_as_ever() -> None:
    schema = {**_person(ssn=SSN, age={"type": "integer"}), "required": ["name"]}
    told = [words(error, schema) for error in Draft202012Validator(schema).iter_errors({"age": "x"})]
    assert sorted(told) == ["`name` is required", 'must be an integer; it is "x"']
