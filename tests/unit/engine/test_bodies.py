"""What one decision does inside loops, maps and forks, in a pause, and when an execution is opened again."""

from __future__ import annotations

from datetime import timedelta
from random import Random
from typing import Any

from aispine.agent.contract import AgentFailure, AgentReply, Outcome
from aispine.engine.facts import (
    DeadlinePassed,
    Finished,
    PauseRequested,
    ResumeRequested,
    RetryRequested,
    Started,
    TimeCome,
)
from aispine.flow.expression import Condition, Template
from aispine.flow.model import Flow, Fork, Join, Loop, Node, NodeType, RetryPolicy, Wait
from tests.unit.engine.simulation import World

FATAL = AgentFailure(code="agent_error", message="no")
DOWN = AgentFailure(code="unavailable", message="down")


def _agent(name: str, *depends_on: str, **keys: Any) -> Node:
    return Node(id=name, type=NodeType.PROCESSOR, agent_id="echo", depends_on=depends_on, **keys)


def _timer(name: str, *depends_on: str, **keys: Any) -> Node:
    return Node(id=name, type=NodeType.WAIT, depends_on=depends_on, wait=Wait(seconds=Template.parse(10)), **keys)


def _loop(name: str, body: Node, **keys: Any) -> Node:
    timeout = keys.pop("timeout", None)
    return Node(id=name, type=NodeType.LOOP, loop=Loop(max_iterations=3, body=(body,), **keys), timeout=timeout)


def _fork(name: str, **branches: Node) -> Node:
    return Node(id=name, type=NodeType.FORK, fork=Fork(branches={key: (node,) for key, node in branches.items()}))


def _started(*nodes: Node, **keys: Any) -> World:
    world = World(Flow(flow_id="f", version="1.0.0", name="f", nodes=nodes, **keys), {}, {}, Random(0))
    world.advance([Started()])
    return world


def _end(world: World, path: str, outcome: Outcome | None = None) -> None:
    """A worker runs the node."""
    world.claim(path)
    attempt = world.rows[path].attempt
    world.advance([Finished(path=path, attempt=attempt, outcome=outcome or AgentReply(output=path))], path)


def _pass(world: World, seconds: float) -> None:
    world.now += timedelta(seconds=seconds)


def test_the_end_of_a_delay_is_an_event_so_that_nobody_decides_on_what_was_before() -> None:
    world = _started(_loop("l", _agent("x"), delay=5.0), _agent("b"))
    _end(world, "l[0]/x")
    seq = world.execution.event_seq
    _pass(world, 5)
    world.advance([TimeCome(path="l")])
    assert world.status("l[1]/x") == "queued"
    assert world.execution.event_seq == seq + 1
    assert world.events[-1].type == "node.woken"


def test_a_condition_that_breaks_after_a_delay_fails_its_loop() -> None:
    world = _started(_loop("l", _agent("x"), delay=5.0, while_=Condition.parse("iteration < 1 or input.text < 1")))
    _end(world, "l[0]/x")
    _pass(world, 5)
    world.advance([TimeCome(path="l")])
    assert world.execution.status == "failed"
    assert (world.execution.error or {})["code"] == "expression_error"


def test_break_loop_leaves_the_loop_that_the_node_stands_in_and_no_other() -> None:
    leave = Node(id="leave", type=NodeType.TRANSFORM, set={"break_loop": Template.parse(value=True)})
    inner = _loop("inner", _agent("x"))
    outer = Node(id="outer", type=NodeType.LOOP, loop=Loop(max_iterations=3, body=(leave, inner)))
    world = _started(outer)
    for number in range(3):
        _end(world, f"outer[0]/inner[{number}]/x")
    assert world.rows["outer[0]/inner"].output["iterations"] == 3
    assert world.rows["outer"].output["ended_by"] == "break_loop"
    assert world.execution.status == "completed"
    assert world.execution.context == {}


def test_break_loop_inside_of_a_branch_leaves_the_loop_around_the_fork() -> None:
    breaking = _agent("work", set={"break_loop": Template.parse(value=True)})
    world = _started(_loop("again", _fork("split", one=breaking, two=_agent("other"))))
    _end(world, "again[0]/split[one]/work")
    _end(world, "again[0]/split[two]/other")
    assert world.execution.output["ended_by"] == "break_loop"
    assert world.execution.output["iterations"] == 1
    assert "break_loop" not in world.execution.context


def test_error_output_keeps_the_error_for_nodes_that_do_not_depend_on_the_one_that_failed() -> None:
    failing = _agent("work", on_error="continue", error_output="problem")
    world = _started(failing, _timer("later"), output=Template.parse("${context.problem.message}"))
    _end(world, "work", FATAL)
    assert world.execution.context["problem"]["code"] == "agent_error"
    _pass(world, 11)
    world.advance([TimeCome(path="later")], "later")
    assert world.execution.status == "completed"
    assert world.execution.output == "no"


def test_a_timer_that_begins_in_a_pause_has_all_of_its_time_afterwards() -> None:
    world = _started(_agent("a"), _timer("t", "a"))
    world.claim("a")
    world.advance([PauseRequested()])
    world.advance([Finished(path="a", attempt=1, outcome=AgentReply(output=1))], "a")
    assert world.status("t") == "waiting"
    assert world.rows["t"].due_at is None
    _pass(world, 100)
    world.advance([ResumeRequested()])
    assert world.rows["t"].due_at == world.now + timedelta(seconds=10)


def test_the_time_of_a_container_does_not_run_in_a_pause() -> None:
    world = _started(_loop("l", _agent("x"), timeout=20.0))
    _pass(world, 5)
    world.advance([PauseRequested()])
    _pass(world, 1_000)
    world.advance([ResumeRequested()])
    assert world.advance([TimeCome(path="l")]).empty
    _pass(world, 15)
    world.advance([TimeCome(path="l")])
    assert (world.execution.error or {})["code"] == "timeout"


def test_a_node_may_end_a_paused_execution() -> None:
    end = Node(id="end", type=NodeType.OUTPUT, depends_on=("a",), terminate=True)
    world = _started(_agent("a"), _agent("b"), end)
    world.claim("a")
    world.advance([PauseRequested()])
    world.advance([Finished(path="a", attempt=1, outcome=AgentReply(output=1))], "a")
    assert world.execution.status == "completed"
    assert world.statuses == {"a": "completed", "b": "cancelled", "end": "completed"}


def test_a_guard_may_no_longer_hold_when_the_mutex_is_free() -> None:
    first = _agent("a", mutex="desk", set={"closed": Template.parse(value=True)})
    second = _agent("b", mutex="desk", guard=(Condition.parse("not context.closed"),))
    world = _started(first, second)
    assert world.status("b") == "waiting"
    _end(world, "a")
    assert world.statuses == {"a": "completed", "b": "skipped"}


def test_a_join_heeds_its_guard() -> None:
    join = Node(id="j", type=NodeType.JOIN, depends_on=("a",), join=Join(), guard=(Condition.parse("input.wanted"),))
    world = _started(_agent("a"), join)
    _end(world, "a")
    assert world.statuses == {"a": "completed", "j": "skipped"}


def test_a_join_behind_a_fork_whose_failure_is_handled_is_skipped_and_blocks_nothing() -> None:
    fork = Node(id="f", type=NodeType.FORK, fork=Fork(branches={"x": (_agent("a"),)}), on_error="help")
    join = Node(id="j", type=NodeType.JOIN, depends_on=("f",), join=Join())
    world = _started(fork, join, _agent("help"), _agent("done", "j", "help"))
    _end(world, "f[x]/a", FATAL)
    _end(world, "help")
    _end(world, "done")
    assert world.execution.status == "completed"
    assert world.status("j") == "skipped"


def test_a_join_does_not_wait_for_branches_that_another_join_has_cancelled() -> None:
    first = Node(id="j", type=NodeType.JOIN, depends_on=("f",), join=Join(strategy="first_complete", cancel_rest=True))
    all_ = Node(id="k", type=NodeType.JOIN, depends_on=("f",), join=Join())
    world = _started(_fork("f", x=_agent("a"), y=_agent("b")), first, all_)
    _end(world, "f[x]/a")
    assert world.rows["k"].output == {"x": "f[x]/a"}
    assert world.execution.status == "completed"


def test_finish_lets_the_other_branches_end_and_runs_the_handler_then() -> None:
    fork = _fork("f", x=_agent("a"), y=_agent("b"))
    world = _started(fork, _agent("rescue"), on_failure="finish", on_error="rescue")
    _end(world, "f[x]/a", FATAL)
    assert world.status("f[y]/b") == "queued"
    _end(world, "f[y]/b")
    assert world.statuses == {"f": "failed", "rescue": "queued"}
    _end(world, "rescue")
    assert world.execution.status == "failed"


def test_a_retry_after_a_timeout_has_all_of_its_time() -> None:
    world = _started(_agent("a"), timeout=10.0)
    _pass(world, 10)
    world.advance([DeadlinePassed()])
    assert world.execution.status == "timed_out"
    world.advance([RetryRequested()])
    assert world.advance([DeadlinePassed()]).empty
    assert world.execution.deadline_at == world.now + timedelta(seconds=10)


def test_a_retry_has_all_of_a_nodes_attempts_and_counts_on() -> None:
    world = _started(_agent("a", retry=RetryPolicy(max_attempts=2, jitter="none", retry_on=frozenset({"unavailable"}))))
    _end(world, "a", FATAL)
    world.advance([RetryRequested()])
    _end(world, "a", DOWN)
    assert world.status("a") == "retrying"
    assert world.rows["a"].attempt == 2


def test_a_retry_runs_the_branches_again_that_a_failed_join_lacked() -> None:
    join = Node(id="j", type=NodeType.JOIN, depends_on=("f",), join=Join(strategy="n_of_m", n=2))
    world = _started(_fork("f", x=_agent("a"), y=_agent("b")), join)
    _end(world, "f[x]/a")
    _end(world, "f[y]/b", FATAL)
    assert (world.execution.error or {})["code"] == "join_failed"
    world.advance([RetryRequested()])
    assert world.status("f[x]/a") == "completed"
    _end(world, "f[y]/b")
    assert world.execution.status == "completed"
    assert world.rows["j"].output == {"x": "f[x]/a", "y": "f[y]/b"}


def test_a_retry_goes_on_between_two_iterations() -> None:
    world = _started(_loop("l", _agent("x"), delay=60.0))
    _end(world, "l[0]/x")
    world.cancel()
    world.advance([RetryRequested()])
    world.advance([TimeCome(path="l")])
    assert world.status("l[0]/x") == "completed"
    assert world.status("l[1]/x") == "queued"


def test_another_failure_after_a_retry_is_handled_again() -> None:
    world = _started(_agent("a"), _agent("rescue"), on_error="rescue")
    for _ in range(2):
        _end(world, "a", FATAL)
        _end(world, "rescue")
        assert world.execution.status == "failed"
        world.advance([RetryRequested()])
    _end(world, "a")
    assert world.execution.status == "completed"
