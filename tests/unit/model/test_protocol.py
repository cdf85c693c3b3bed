"""The stand-in refuses what a provider would refuse, so that a test against it says something."""

from __future__ import annotations

from typing import Any

import pytest

from aispine.model.protocol import problem

USER = {"role": "user", "content": "hi"}
CALL = {"id": "c1", "type": "function", "function": {"name": "f", "arguments": "{}"}}
USED = {"role": "assistant", "content": None, "tool_calls": [CALL]}
ANSWER = {"role": "tool", "tool_call_id": "c1", "content": "{}"}
TOOL = {"type": "function", "function": {"name": "f", "parameters": {"type": "object"}}}


def body(*messages: Any, **keys: Any) -> dict[str, Any]:
    return {"model": "m", "messages": list(messages or [USER]), **keys}


def test_a_whole_conversation_with_tools_is_good() -> None:
    schema = {"type": "json_schema", "json_schema": {"name": "o", "schema": {"type": "object"}}}
    good = body({"role": "system", "content": "s"}, USER, USED, ANSWER, tools=[TOOL], response_format=schema)
    assert problem(good | {"stream": True, "stream_options": {"include_usage": True}}) is None


@pytest.mark.parametrize(
    "bad",
    [
        None,
        {"messages": [USER]},
        body(temprature=1),
        body(stream_options={}),
        body(max_tokens=0),
        {"model": "m", "messages": []},
        body({"role": "robot", "content": "x"}),
        body({"role": "user", "content": {"a": 1}}),
        body({"role": "assistant", "content": None}),
        body(USER, ANSWER),
        body(USER, USED, USER),
        body(USER, USED),
        body(USER, {**USED, "tool_calls": [{"id": "c1", "type": "function", "function": {"arguments": {}}}]}, ANSWER),
        body(tools=[]),
        body(tools=[{"type": "function", "function": {"name": "a b", "parameters": {"type": "object"}}}]),
        body(tools=[{"type": "function", "function": {"name": "f", "parameters": {"type": "string"}}}]),
        body(response_format={"type": "json_schema", "json_schema": {"schema": {}}}),
        body(response_format={"type": "json_schema", "json_schema": {"name": "o", "schema": {"type": "objekt"}}}),
    ],
)
def test_what_a_provider_would_refuse_is_refused(bad: Any) -> None:
    assert problem(bad) is not None
