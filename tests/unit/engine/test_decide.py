"""What one decision does with one fact."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from random import Random
from typing import Any

import pytest

from aispine.agent.contract import AgentFailure, AgentReply, Outcome
from aispine.engine.facts import CancelRequested, ChildStarted, DeadlinePassed, Finished, Lost, RetryDue, Started
from aispine.flow.expression import Template
from aispine.flow.model import Flow, Node, NodeType, RetryPolicy, Subflow
from aispine.flow.state import Transition
from aispine.flow.status import ExecutionStatus
from tests.unit.engine.simulation import World

DOWN = AgentFailure(code="unavailable", message="down")


def _agent(name: str, *depends_on: str, **keys: Any) -> Node:
    return Node(id=name, type=NodeType.PROCESSOR, agent_id="echo", depends_on=depends_on, **keys)


def _running(*nodes: Node, **keys: Any) -> World:
    """An execution of the flow whose first node a worker has taken."""
    flow = Flow(flow_id="f", version="1.0.0", name="f", nodes=nodes, **keys)
    world = World(flow, {"x": 1}, {}, Random(0))
    world.advance([Started()], take_from="engine")
    return world


def _finish(world: World, outcome: Outcome, path: str = "a", attempt: int = 1, **keys: Any) -> Transition:
    return world.advance([Finished(path=path, attempt=attempt, outcome=outcome)], path, **keys)


def _types(transition: Transition) -> list[str]:
    return [event.type for event in transition.events]


def test_the_deciding_process_takes_the_first_node_and_leaves_the_others_to_messages() -> None:
    world = _running(_agent("a"), _agent("b"))
    assert world.statuses == {"a": "running", "b": "queued"}
    assert world.rows["a"].attempt == 1
    assert [event.type for event in world.events] == ["execution.started", "node.started"]


def test_a_node_on_another_queue_is_not_taken() -> None:
    world = _running(_agent("a", pool="io"))
    assert world.statuses == {"a": "queued"}


def test_a_result_told_twice_counts_once() -> None:
    world = _running(_agent("a"), _agent("b", "a"))
    first = _finish(world, AgentReply(output=1))
    assert first.queued == ("b",)
    assert _finish(world, AgentReply(output=2)).empty
    assert world.rows["a"].output == 1


def test_a_result_after_the_end_changes_nothing_and_is_no_event() -> None:
    world = _running(_agent("a"))
    world.cancel()
    assert _finish(world, AgentReply(output=1)).empty


def test_a_late_result_is_an_event_while_the_execution_goes_on() -> None:
    world = _running(_agent("a"))
    late = _finish(world, AgentReply(output=1), attempt=7)
    assert _types(late) == ["node.late_result"]
    assert world.statuses == {"a": "running"}


@pytest.mark.parametrize(("asked", "waited"), [(None, 2.0), (0.5, 2.0), (30.0, 30.0)])
def test_an_agent_may_ask_for_a_longer_pause_than_the_policy_has(asked: float | None, waited: float) -> None:
    policy = RetryPolicy(initial_delay=2.0, jitter="none")
    world = _running(_agent("a", retry=policy))
    _finish(world, replace(DOWN, retry_after=asked))
    assert world.rows["a"].status == "retrying"
    assert world.rows["a"].due_at == world.now + timedelta(seconds=waited)


def test_a_retry_that_is_not_due_yet_waits() -> None:
    world = _running(_agent("a", retry=RetryPolicy(initial_delay=5.0, jitter="none")))
    _finish(world, DOWN)
    assert world.advance([RetryDue(path="a", attempt=1)]).empty
    world.now += timedelta(seconds=5)
    assert world.advance([RetryDue(path="a", attempt=1)]).queued == ("a",)
    assert world.advance([RetryDue(path="a", attempt=1)]).empty


@pytest.mark.parametrize("code", ["agent_error", "invalid_response", "rejected", "invalid_input"])
def test_what_is_not_named_is_not_tried_again(code: str) -> None:
    world = _running(_agent("a"))
    _finish(world, AgentFailure(code=code, message="no"))
    assert world.execution.status == "failed"
    assert world.execution.error is not None
    assert world.execution.error["code"] == code


def test_an_unhandled_failure_cancels_what_runs_beside_it() -> None:
    world = _running(_agent("a"), _agent("b"))
    ended = _finish(world, AgentFailure(code="rejected", message="no"))
    assert world.statuses == {"a": "failed", "b": "cancelled"}
    assert _types(ended) == ["node.failed", "node.cancelled", "execution.failed"]


def test_a_deadline_ends_the_execution_only_when_it_is_over() -> None:
    world = _running(_agent("a"), timeout=10.0)
    assert world.advance([DeadlinePassed()]).empty
    world.now += timedelta(seconds=10)
    assert _types(world.advance([DeadlinePassed()])) == ["node.cancelled", "execution.timed_out"]


def test_a_cancel_keeps_its_reason() -> None:
    world = _running(_agent("a"))
    world.advance([CancelRequested(reason="enough")])
    assert world.execution.error == {"code": "cancelled", "message": "enough"}


def test_set_takes_effect_with_the_nodes_end() -> None:
    world = _running(_agent("a", set={"guest": Template.parse("${output.name}")}), _agent("b", "a"))
    _finish(world, AgentReply(output={"name": "Ada"}))
    assert world.execution.context == {"guest": "Ada"}


def test_a_set_that_cannot_be_evaluated_fails_its_node() -> None:
    world = _running(_agent("a", set={"guest": Template.parse("${sum(output.name)}")}))
    _finish(world, AgentReply(output={"name": "Ada"}))
    assert world.statuses == {"a": "failed"}
    assert world.execution.error is not None
    assert world.execution.error["code"] == "expression_error"
    assert world.execution.context == {}


def test_a_flow_whose_output_cannot_be_evaluated_fails() -> None:
    world = _running(_agent("a"), output=Template.parse("${sum(nodes.a.output)}"))
    _finish(world, AgentReply(output="text"))
    assert world.execution.status == "failed"
    assert world.execution.error is not None
    assert world.execution.error["code"] == "expression_error"


def test_the_output_is_that_of_the_exits() -> None:
    world = _running(_agent("a"))
    _finish(world, AgentReply(output=[1]))
    assert world.execution.output == [1]
    two = _running(_agent("a"), _agent("b", "a"), _agent("c", "a"))
    _finish(two, AgentReply(output=0), take_from="engine")
    _finish(two, AgentReply(output=1), "b")
    two.claim("c")
    _finish(two, AgentReply(output=2), "c")
    assert two.execution.output == {"b": 1, "c": 2}


def test_what_a_stopping_worker_hands_back_does_not_count_against_the_node() -> None:
    world = _running(_agent("a"))
    world.terms = replace(world.terms, max_lost_attempts=3)
    for attempt in range(1, 6):
        assert world.advance([Lost(path="a", attempt=attempt, handed_back=True)], take_from="engine").claimed == ("a",)
    assert (world.rows["a"].attempt, world.statuses["a"]) == (6, "running")
    while world.statuses["a"] == "running":
        world.now += timedelta(seconds=60)
        world.advance([Lost(path="a", attempt=world.rows["a"].attempt)], take_from="engine")
    assert world.rows["a"].error is not None
    assert world.rows["a"].error["code"] == "lost"
    assert world.rows["a"].attempt == 5 + 3


@pytest.mark.parametrize("ended", ["cancelled", "lost too often"])
def test_a_child_that_a_dead_process_began_is_given_up_with_its_node(ended: str) -> None:
    world = _running(Node(id="a", type=NodeType.SUBFLOW, subflow=Subflow(flow_id="other")))
    world.now += timedelta(seconds=60)
    world.advance([Lost(path="a", attempt=1)])
    world.children["a#1"] = ExecutionStatus.RUNNING
    world.advance([ChildStarted(path="a", attempt=1, child="a#1")])
    assert world.statuses == {"a": "queued"}
    if ended == "cancelled":
        assert world.advance([CancelRequested()]).orphans == ("a#1",)
        return
    world.terms = replace(world.terms, max_lost_attempts=2)
    world.claim("a")
    world.now += timedelta(seconds=60)
    assert world.advance([Lost(path="a", attempt=2)]).orphans == ("a#1",)
    assert world.statuses == {"a": "failed"}


def test_a_process_takes_as_many_nodes_of_its_queue_as_it_has_threads_for() -> None:
    world = _running(_agent("a"), *(_agent(name, "a") for name in "bcde"), _agent("f", "a", pool="io"))
    transition = _finish(world, AgentReply(output=1), take_from="engine", most=3)
    assert (transition.claimed, transition.queued) == (("b", "c", "d"), ("e", "f"))
    assert world.statuses == {"a": "completed", **dict.fromkeys("bcd", "running"), **dict.fromkeys("ef", "queued")}
