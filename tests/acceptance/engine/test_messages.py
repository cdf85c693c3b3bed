"""What the broker carries: Celery's chain, group and chord, with readable names and without data."""

from __future__ import annotations

import base64
import json
from collections.abc import Iterator
from typing import Any

import pytest
import redis
from sqlalchemy import select

from aispine.agent.contract import AgentReply
from aispine.engine import broker, canvas, plans
from aispine.engine.advance import advance, claim
from aispine.engine.facts import Finished, Started
from aispine.engine.queues import keys
from aispine.engine.terms import Terms
from aispine.flow.state import Transition
from aispine.store.database import Store
from aispine.store.models import NodeExecutionRow
from tests.support.environment import Servers
from tests.support.flows import Flows
from tests.support.messages import KEYS, lose
from tests.support.shapes import echo, fan, flow, line

TERMS = Terms(owner="test:1:1", lease=60.0)
SECRET = "a payload that no message may carry"


@pytest.fixture
def messages(servers: Servers, no_workers: None) -> Iterator[redis.Redis]:
    """The broker, empty and without anybody who takes from it."""
    with redis.Redis.from_url(servers.redis_url) as client:
        client.delete(*KEYS)
        yield client
        client.delete(*KEYS)


def _started(store: Store, flows: Flows, definition: dict[str, Any]) -> Transition:
    """Starts an execution as a worker does, up to the sending of its canvas."""
    execution_id = flows.start(flows.deploy(definition), {"secret": SECRET}, announce=False)
    transition = advance(store, execution_id, [Started()], TERMS)
    assert transition is not None
    canvas.send(
        broker.app(), plans.find(store, transition.execution.flow_version_id), transition.execution, transition.queued
    )
    return transition


def _finished(store: Store, execution_id: str, path: str) -> Transition:
    """Runs a node as a worker does; its output is what no message may carry."""
    assert claim(store, execution_id, [path], TERMS)
    fact = Finished(path=path, attempt=1, outcome=AgentReply(output={"secret": SECRET}))
    transition = advance(store, execution_id, [fact], TERMS)
    assert transition is not None
    return transition


def _read(client: redis.Redis, queue: str) -> list[dict[str, Any]]:
    """The messages of a queue, oldest first, with their bodies decoded."""
    found = [json.loads(raw) for raw in reversed([raw for key in keys(queue) for raw in client.lrange(key, 0, -1)])]
    assert not any(SECRET in json.dumps(message) for message in found)
    for message in found:
        message["body"] = json.loads(base64.b64decode(message["body"]))
        assert SECRET not in json.dumps(message["body"])
    return found


def _chain_of(message: dict[str, Any]) -> list[dict[str, Any]]:
    """What follows a message in its chain, next first."""
    return list(reversed(message["body"][2]["chain"] or []))


def test_a_start_is_one_small_message(messages: redis.Redis, flows: Flows) -> None:
    flow_id = flows.deploy(line("hello", "a"))
    execution_id = flows.start(flow_id, {"secret": SECRET})
    (message,) = _read(messages, "engine")
    assert message["headers"]["task"] == "aispine.advance"
    assert message["headers"]["shadow"] == "hello/start"
    assert message["headers"]["ignore_result"] is True
    assert message["body"][0] == [execution_id, ""]


def test_nodes_that_follow_each_other_are_a_chain(messages: redis.Redis, engine_store: Store, flows: Flows) -> None:
    transition = _started(engine_store, flows, line("steps", "abc", pool="io"))
    (message,) = _read(messages, "io")
    execution_id = transition.execution.execution_id
    assert message["headers"]["task"] == "aispine.run"
    assert message["headers"]["shadow"] == "steps/a"
    assert message["headers"]["ignore_result"] is True
    assert message["body"][:2] == [[execution_id, "a"], {}]
    following = _chain_of(message)
    assert [(each["task"], each["args"]) for each in following] == [
        ("aispine.run", [execution_id, "b"]),
        ("aispine.run", [execution_id, "c"]),
    ]
    assert all(each["immutable"] and each["options"]["ignore_result"] for each in following)
    assert [each["options"]["shadow"] for each in following] == ["steps/b", "steps/c"]


def test_a_long_chain_is_sent_in_parts(messages: redis.Redis, engine_store: Store, flows: Flows) -> None:
    _started(engine_store, flows, line("long", [f"n{index}" for index in range(80)]))
    (message,) = _read(messages, "engine")
    assert len(_chain_of(message)) == 49


def test_branches_that_meet_are_a_chord_whose_body_looks_at_the_join(
    messages: redis.Redis, engine_store: Store, flows: Flows
) -> None:
    transition = _started(engine_store, flows, fan("fan", 3, pool="cpu"))
    found = _read(messages, "cpu")
    assert [message["body"][0][1] for message in found] == ["b0", "b1", "b2"]
    for message in found:
        assert message["headers"]["ignore_result"] is True
        body = message["body"][2]["chord"]
        assert body["task"] == "aispine.advance"
        assert body["args"] == [transition.execution.execution_id, "join"]
        assert body["options"]["queue"] == "engine"
    assert len({message["headers"]["group"] for message in found}) == 1


def test_a_branch_of_several_nodes_is_a_chain_inside_the_chord(
    messages: redis.Redis, engine_store: Store, flows: Flows
) -> None:
    branches = flow("branches", echo("a1"), echo("a2", "a1"), echo("b1"), echo("join", "a2", "b1"))
    _started(engine_store, flows, branches)
    first, second = _read(messages, "engine")
    assert first["body"][0][1] == "a1"
    assert [each["args"][1] for each in _chain_of(first)] == ["a2"]
    # Celery counts the part that ends a branch, so the chord hangs on that one.
    assert _chain_of(first)[0]["options"]["chord"]["args"][1] == "join"
    assert second["body"][2]["chord"]["args"][1] == "join"


def test_branches_that_do_not_meet_are_a_group(messages: redis.Redis, engine_store: Store, flows: Flows) -> None:
    _started(engine_store, flows, flow("apart", echo("a"), echo("b"), echo("c", "a")))
    found = _read(messages, "engine")
    assert [message["body"][0][1] for message in found] == ["a", "b"]
    assert [each["args"][1] for each in _chain_of(found[0])] == ["c"]
    assert _chain_of(found[0])[0]["options"]["group_id"] == found[1]["headers"]["group"]
    assert all(message["body"][2]["chord"] is None for message in found)


def test_a_chain_ends_in_the_chord_that_it_opens(messages: redis.Redis, engine_store: Store, flows: Flows) -> None:
    opens = flow("opens", echo("a"), echo("b", "a"), echo("c", "a"), echo("join", "b", "c"))
    _started(engine_store, flows, opens)
    (message,) = _read(messages, "engine")
    (following,) = _chain_of(message)
    assert following["task"] == "celery.chord"
    assert following["kwargs"]["body"]["args"][1] == "join"


def test_outputs_stay_in_the_store(messages: redis.Redis, engine_store: Store, flows: Flows) -> None:
    transition = _started(engine_store, flows, fan("quiet", 2))
    execution_id = transition.execution.execution_id
    lose(messages, "engine")
    for path in transition.queued:
        following = _finished(engine_store, execution_id, path)
    plan = plans.find(engine_store, following.execution.flow_version_id)
    canvas.send(broker.app(), plan, following.execution, following.queued)
    (message,) = _read(messages, "engine")
    assert message["body"][0] == [execution_id, "join"]
    with engine_store.session(None) as session:
        stored = session.scalars(select(NodeExecutionRow.input).where(NodeExecutionRow.path == "join")).all()
    assert any(value == {"b0": {"secret": SECRET}, "b1": {"secret": SECRET}} for value in stored)
