"""One question to a model over HTTP: streamed or whole, and each way in which a provider refuses."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import pytest

from aispine.flow.outcome import AgentFailure
from aispine.guards import rules
from aispine.model import client
from aispine.model.chat import Function, Model, Prices, Question, Turn, Usage
from aispine.model.client import Call
from aispine.model.errors import ModelError
from aispine.model.standin import Line, StandIn, playing
from aispine.settings import Settings
from tests.support import service
from tests.support.service import Reply

CALL = Call(guard=rules.of(Settings(allowed_hosts="loopback")), seconds=5.0, limit=100_000, api_key="k0")
HELLO = [{"role": "user", "content": "hello"}]
LOOK_UP = Function(name="look_up", description="Finds it.", parameters={"type": "object", "properties": {}})


@pytest.fixture
def played() -> Iterator[StandIn]:
    with playing() as running:
        yield running


def ask(played: StandIn, *lines: Line, told: Any = None, **changes: Any) -> Turn:
    played.says(*lines)
    keys = {name: changes.pop(name) for name in ("stream", "params", "structured") if name in changes}
    model = Model(base_url=played.url, model="m1", **keys)
    return client.ask(model, Question(messages=HELLO, **changes), CALL, told or (lambda _: None))


def failure(played: StandIn, *lines: Line, **changes: Any) -> AgentFailure:
    with pytest.raises(ModelError) as caught:
        ask(played, *lines, **changes)
    return caught.value.failure


@pytest.mark.parametrize("stream", [True, False])
def test_a_turn_is_the_same_streamed_and_whole(played: StandIn, stream: bool) -> None:
    told: list[str] = []
    line = Line(text="good morning to you", usage={"prompt_tokens": 9, "completion_tokens": 4})
    turn = ask(played, line, told=told.append, stream=stream)
    assert turn == Turn(text="good morning to you", finish="stop", usage=Usage(prompt=9, completion=4))
    assert told == (["good", " morning", " to", " you"] if stream else ["good morning to you"])
    (asked,) = played.asked
    assert asked.headers["authorization"] == "Bearer k0"
    assert ("stream" in asked.body) is stream


@pytest.mark.parametrize("stream", [True, False])
def test_tool_calls_are_put_together_from_their_pieces(played: StandIn, stream: bool) -> None:
    calls = ({"name": "look_up", "arguments": {"id": "ü-1", "n": 7}}, {"name": "look_up"})
    turn = ask(played, Line(tool_calls=calls), functions=[LOOK_UP], stream=stream)
    assert [(use.name, use.arguments) for use in turn.tool_uses] == [
        ("look_up", '{"id": "\\u00fc-1", "n": 7}'),
        ("look_up", "{}"),
    ]
    assert turn.finish == "tool_calls"
    assert played.asked[0].body["tools"][0]["function"]["name"] == "look_up"


def test_the_schema_goes_along_as_the_provider_takes_it(played: StandIn) -> None:
    schema = {"type": "object"}
    for structured in ("json_schema", "json_object", "none"):
        ask(played, Line(text="{}"), output_schema=schema, structured=structured)
    formats = [asked.body.get("response_format") for asked in played.asked]
    named = {"type": "json_schema", "json_schema": {"name": "output", "schema": schema}}
    assert formats == [named, {"type": "json_object"}, None]


def test_a_limit_is_the_smaller_of_the_models_own_and_what_is_left(played: StandIn) -> None:
    ask(played, Line(), params={"max_tokens": 50, "temperature": 0.1}, max_tokens=20)
    ask(played, Line(), params={"max_tokens": 10}, max_tokens=20)
    ask(played, Line(), max_tokens=20)
    assert [asked.body["max_tokens"] for asked in played.asked] == [20, 10, 20]
    assert played.asked[0].body["temperature"] == 0.1


@pytest.mark.parametrize(
    ("line", "code", "own"),
    [
        (Line(status=429, headers={"Retry-After": "3"}), "rate_limited", None),
        (Line(status=429, error={"code": "insufficient_quota"}), "rejected", "quota"),
        (Line(status=500), "unavailable", None),
        (Line(status=529), "unavailable", None),
        (Line(status=401, error={"code": "invalid_api_key"}), "rejected", None),
        (Line(status=400, error={"code": "context_length_exceeded"}), "rejected", "context_too_long"),
        (Line(status=400, error={"message": "This exceeds the context window"}), "rejected", "context_too_long"),
        (Line(status=400, error={"code": "content_filter"}), "rejected", "content_filter"),
        (Line(text="x", finish="content_filter"), "rejected", "content_filter"),
        (Line(refusal="I will not."), "rejected", "refusal"),
        (Line(text="one two three four", break_off=True), "unavailable", None),
        (Line(text="x" * 200_000), "invalid_response", None),
    ],
)
def test_each_refusal_has_a_code_that_flows_know(played: StandIn, line: Line, code: str, own: str | None) -> None:
    found = failure(played, line)
    assert found.code == code
    assert (found.detail or {}).get("error_code") == own
    assert found.retry_after == (3.0 if line.headers else None)


def test_a_time_that_is_over_ends_a_stream(played: StandIn) -> None:
    played.says(Line(text="a b c d e f g h", pace=0.1))
    with pytest.raises(ModelError) as caught:
        client.ask(Model(base_url=played.url, model="m"), Question(messages=HELLO), replace(CALL, seconds=0.25))
    assert caught.value.failure.code == "timeout"


def test_tokens_that_nobody_tells_are_guessed(played: StandIn) -> None:
    turn = ask(played, Line(text="eight characters more", silent_usage=True))
    assert turn.usage.estimated
    assert turn.usage.completion == 6
    assert turn.usage.prompt > 10


def test_a_turn_costs_what_its_tokens_cost() -> None:
    usage = Usage(prompt=1_000_000, completion=500_000, cached=400_000)
    assert usage.cost(Prices(input=1.0, output=4.0)) == pytest.approx(3.0)
    assert usage.cost(Prices(input=1.0, output=4.0, cached=0.5)) == pytest.approx(2.8)


@pytest.mark.parametrize(
    ("body", "kind", "code"),
    [
        (b'data: {"error": {"message": "overloaded"}}\n\n', "text/event-stream", "unavailable"),
        (b'data: {"error": {"code": "rate_limit_exceeded"}}\n\n', "text/event-stream", "rate_limited"),
        (
            b'data: {"choices": [{"delta": {"tool_calls": [{"index": -1}]}}]}\n\n',
            "text/event-stream",
            "invalid_response",
        ),
        (b"data: {nonsense\n\n", "text/event-stream", "invalid_response"),
        (b'data: ["x"]\n\n', "text/event-stream", "invalid_response"),
        (b": ping\n\n", "text/event-stream", "unavailable"),
        (b'{"object": "other"}', "application/json", "invalid_response"),
        (b"<html>", "text/html", "invalid_response"),
    ],
)
def test_what_is_none_of_the_protocols_is_told_so(body: bytes, kind: str, code: str) -> None:
    with service.serving() as running:
        running.on("POST", "/chat/completions", Reply(body=body, headers={"Content-Type": kind}))
        with pytest.raises(ModelError) as caught:
            client.ask(Model(base_url=running.url, model="m"), Question(messages=HELLO), CALL)
    assert caught.value.failure.code == code


def test_a_tool_call_that_comes_whole_and_without_its_place_is_taken() -> None:
    call = b'{"id": "c", "type": "function", "function": {"name": "f", "arguments": "{}"}}'
    chunk = b'data: {"choices": [{"delta": {"tool_calls": [%s]}, "finish_reason": "stop"}]}\n\n' % call
    with service.serving() as running:
        running.on("POST", "/chat/completions", Reply(body=chunk, headers={"Content-Type": "text/event-stream"}))
        turn = client.ask(Model(base_url=running.url, model="m"), Question(messages=HELLO), CALL)
    assert [(use.id, use.name) for use in turn.tool_uses] == [("c", "f")]
