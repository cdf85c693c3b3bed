"""Agents that accept: how their nodes wait, and how the callback ends them."""

from __future__ import annotations

from datetime import timedelta
from random import Random

import pytest

from aispine.agent.contract import AgentAccepted, AgentFailure, AgentReply, Outcome
from aispine.engine import callbacks
from aispine.engine.callbacks import Ticket
from aispine.engine.facts import CalledBack, Finished, Started, TimeCome
from aispine.errors import NotFound
from aispine.flow.model import Flow, Node, NodeType, RetryPolicy
from aispine.flow.state import Transition
from tests.unit.engine.simulation import World

ONCE = RetryPolicy(max_attempts=2, initial_delay=1.0, jitter="none")


def running() -> World:
    nodes = (
        Node(id="a", type=NodeType.PROCESSOR, agent_id="echo", retry=ONCE),
        Node(id="b", type=NodeType.PROCESSOR, agent_id="echo", depends_on=("a",)),
    )
    world = World(Flow(flow_id="f", version="1.0.0", name="f", nodes=nodes), {}, {}, Random(0))
    world.advance([Started()], take_from="engine")
    return world


def accepted() -> World:
    world = running()
    world.advance([Finished(path="a", attempt=1, outcome=AgentAccepted(timeout=60.0))], "a")
    return world


def call_back(world: World, outcome: Outcome = AgentReply(output=7), attempt: int = 1) -> Transition:  # noqa: B008
    return world.advance([CalledBack(path="a", attempt=attempt, outcome=outcome)], "a")


def test_an_agent_that_accepts_leaves_its_node_waiting_without_a_worker() -> None:
    world = accepted()
    row = world.rows["a"]
    assert (row.status, row.lease_owner, row.due_at) == ("waiting", None, world.now + timedelta(seconds=60))
    assert world.execution.status == "waiting"
    assert (world.events[-1].type, world.events[-1].data["for"]) == ("node.waiting", "callback")


def test_the_callback_ends_the_node_once_and_the_flow_goes_on() -> None:
    world = accepted()
    assert call_back(world).queued == ("b",)
    assert world.rows["a"].output == 7
    assert call_back(world, AgentReply(output=8)).empty


def test_a_callback_that_is_quicker_than_the_acceptance_counts() -> None:
    world = running()
    assert call_back(world).queued == ("b",)
    late = world.advance([Finished(path="a", attempt=1, outcome=AgentAccepted(timeout=60.0))], "a")
    assert late.empty
    assert world.statuses == {"a": "completed", "b": "queued"}


def test_a_failure_that_is_called_back_is_tried_again_as_the_flow_says() -> None:
    world = accepted()
    call_back(world, AgentFailure(code="unavailable", message="no"))
    assert world.statuses["a"] == "retrying"


def test_an_agent_that_does_not_call_back_in_time_has_timed_out_and_may_not_come_late() -> None:
    world = accepted()
    assert world.advance([TimeCome(path="a")], "a").empty
    world.now += timedelta(seconds=61)
    world.advance([TimeCome(path="a")], "a")
    assert (world.statuses["a"], world.rows["a"].error["code"]) == ("retrying", "timeout")  # type: ignore[index]  # It has one.
    assert call_back(world).empty


def test_a_callback_of_another_attempt_or_after_the_end_changes_nothing() -> None:
    world = accepted()
    assert call_back(world, attempt=2).empty
    world.cancel()
    assert call_back(world).empty


TICKET = Ticket(tenant_id="t", execution_id="e", path="pages[17]/ocr", attempt=3)


def test_a_token_is_read_with_any_of_the_keys_and_with_no_other() -> None:
    token = callbacks.issue(TICKET, "old")
    assert callbacks.read(token, "new, old") == TICKET
    for keys in ("new", "", None):
        with pytest.raises(NotFound):
            callbacks.read(token, keys)


def test_a_forged_token_is_unknown() -> None:
    said, _, signed = callbacks.issue(TICKET, "key").partition(".")
    other = callbacks.issue(Ticket(tenant_id="t2", execution_id="e", path="a", attempt=1), "key").partition(".")[0]
    for token in (
        f"{other}.{signed}",
        f"{said}.",
        said,
        f"{said}.{'A' * 43}",
        ".",
        "",
        "%%%",
        "é.é",
        f"{said}.{signed}x",
    ):
        with pytest.raises(NotFound):
            callbacks.read(token, "key")
