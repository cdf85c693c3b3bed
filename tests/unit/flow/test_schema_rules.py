"""Schemas and values that would take for ever to check are refused, or checked in another way."""

from __future__ import annotations

import time
from typing import Any

import pytest

from aispine.agent.definition import AgentVersion
from aispine.agent.schema import input_misfits
from aispine.agent.schema import schema_problem as problem_of_agents
from aispine.errors import InvalidInput
from aispine.flow.inputs import check_value, schema_problem

SLOW = "^(a|aa)+$"
"""Twice the time for each more `a`, when something else follows."""
NEVER = "a" * 60 + "!"


@pytest.mark.parametrize(
    ("schema", "value"),
    [
        ({"pattern": SLOW}, NEVER),
        ({"patternProperties": {SLOW: {}}}, {NEVER: 1}),
        ({"patternProperties": {SLOW: {}}, "additionalProperties": False}, {NEVER: 1}),
    ],
)
def test_a_pattern_that_takes_for_ever_is_given_up(schema: dict[str, Any], value: Any) -> None:
    began = time.monotonic()
    with pytest.raises(InvalidInput, match="takes too long"):
        check_value(schema, value)
    assert time.monotonic() - began < 5


def test_three_thousand_objects_are_found_to_be_different_at_once() -> None:
    began = time.monotonic()
    check_value({"uniqueItems": True}, [{"id": number} for number in range(3000)])
    assert time.monotonic() - began < 5


@pytest.mark.parametrize(
    ("items", "unique"),
    [
        ([1, 1.0], False),
        ([1, True], True),
        ([0, False, None, "", [], {}], True),
        ([{"a": 1, "b": [2]}, {"b": [2.0], "a": 1}], False),
        ([{"a": 1}, {"a": "1"}], True),
        ([[1, 2], [2, 1]], True),
        ([["object"], "object"], True),
    ],
)
def test_items_are_the_same_as_json_has_it(items: list[Any], unique: bool) -> None:
    if unique:
        check_value({"uniqueItems": True}, items)
        return
    with pytest.raises(InvalidInput, match="there twice"):
        check_value({"uniqueItems": True}, items)


def test_members_without_a_name_of_theirs_are_judged_by_their_patterns_or_as_additional() -> None:
    schema = {
        "properties": {"id": {}},
        "patternProperties": {"^n_": {"type": "number"}},
        "additionalProperties": {"type": "string"},
    }
    check_value(schema, {"id": [], "n_1": 2, "x": "y"})
    with pytest.raises(InvalidInput) as caught:
        check_value(schema, {"n_1": "two", "x": 3})
    assert [error["path"] for error in caught.value.errors] == ["input.n_1", "input.x"]


def test_a_pattern_that_cannot_be_read_is_a_problem_of_the_schema() -> None:
    assert schema_problem({"properties": {"a": {"pattern": "("}}})
    assert schema_problem({"properties": {"pattern": {"type": "string"}}}) is None


def test_agents_and_tools_have_the_same_rules_for_their_schemas() -> None:
    agent = AgentVersion(agent_id="a", version="1.0.0", kind="http", name="a", input_schema={"pattern": SLOW})
    (told,) = input_misfits(agent, NEVER)
    assert "takes too long" in told
    # The library would look for these patterns itself, and nothing could interrupt it.
    unbounded = {"unevaluatedProperties": False, "allOf": [{"patternProperties": {SLOW: {}}}]}
    doubling = {"$defs": {f"a{i}": {"allOf": [{"$ref": f"#/$defs/a{i + 1}"}] * 2} for i in range(22)} | {"a22": {}}}
    for schema in (unbounded, {"$ref": "#/$defs/a0", **doubling}, {"$ref": "#"}):
        assert schema_problem(schema) is not None
        assert problem_of_agents(schema) is not None
