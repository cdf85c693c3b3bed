"""Flows of every construct, nested at random, keep the language's laws whatever happens on the way."""

from __future__ import annotations

from random import Random

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from aispine.engine.facts import RetryRequested
from aispine.flow import paths
from aispine.flow.model import Flow, Fork, Join, Node, NodeType
from aispine.flow.status import NodeStatus
from tests.unit.engine.laws import Laws
from tests.unit.engine.nested import Case, nested
from tests.unit.engine.people import People
from tests.unit.engine.reference import Script
from tests.unit.engine.simulation import Chaos, World

CHAOS = Chaos(lose=0.15, double=0.15, die=0.15, late=0.5, release=0.1, budget=30)
seeds = st.integers(0, 2**32)
slow = [HealthCheck.too_slow, HealthCheck.data_too_large, HealthCheck.large_base_example]


def _world(case: Case, seed: int, chaos: Chaos | None = None, *, pauses: int = 0) -> World:
    people = People(pauses=pauses, early=3, never=case.never)
    return World(case.flow, case.data, case.scripts, Random(seed), chaos, people)


def _check(case: Case, world: World) -> None:
    Laws(world=world, data=case.data, scripts=world.scripts, former=case.scripts).check()
    assert all(status.terminal for status in world.children.values()), "a child goes on"


@settings(max_examples=300, deadline=None, suppress_health_check=slow)
@given(case=nested(), seed=seeds)
def test_every_construct_keeps_the_laws(case: Case, seed: int) -> None:
    world = _world(case, seed)
    world.run()
    _check(case, world)


@settings(max_examples=300, deadline=None, suppress_health_check=slow)
@given(case=nested(), seed=seeds)
def test_mishaps_and_pauses_change_no_law(case: Case, seed: int) -> None:
    world = _world(case, seed, CHAOS, pauses=3)
    world.run()
    _check(case, world)


@settings(max_examples=150, deadline=None, suppress_health_check=slow)
@given(case=nested(failing=False), seed=seeds, after=st.integers(0, 40))
def test_what_was_cancelled_goes_on_when_it_is_retried(case: Case, seed: int, after: int) -> None:
    world = _world(case, seed, CHAOS, pauses=1)
    for _ in range(after):
        world.step()
    world.cancel()
    if world.execution.status == "cancelled":
        done = _done(world)
        world.tell(RetryRequested())
        world.run()
        assert {path: world.rows[path].attempt for path in done} == done, "what succeeded is run again"
    _check(case, world)
    _check_success(world)


@settings(max_examples=150, deadline=None, suppress_health_check=slow)
@given(case=nested(), seed=seeds)
def test_what_has_failed_is_done_again_when_it_is_retried(case: Case, seed: int) -> None:
    world = _world(case, seed, CHAOS)
    world.run()
    if world.execution.status == "completed":
        return
    done = _kept(world)
    world.scripts = {name: Script() for name in case.scripts}
    world.tell(RetryRequested())
    world.run()
    assert {path: world.rows[path].attempt for path in done if path in world.rows} == done, "it is run again"
    assert [event.type for event in world.events].count("execution.retried") == 1
    _check(case, world)


def test_a_join_that_had_failed_completes_when_its_fork_does_after_a_retry() -> None:
    branches = {name: (Node(id=name, type=NodeType.PROCESSOR, agent_id="echo"),) for name in "ab"}
    fork = Node(id="fork", type=NodeType.FORK, fork=Fork(branches=branches))
    join = Join(strategy="n_of_m", n=2)
    both = Node(id="both", type=NodeType.JOIN, join=join, depends_on=("fork",), on_error="continue")
    after = Node(id="after", type=NodeType.PROCESSOR, agent_id="echo", depends_on=("fork",))
    flow = Flow(flow_id="f", version="1.0.0", name="f", nodes=(fork, both, after), on_failure="finish")
    well = {name: Script() for name in ("a", "b", "after")}
    world = World(flow, {}, {**well, "a": Script(fatal=True)}, Random(0))
    world.run()
    assert (world.execution.status, world.statuses["both"]) == ("failed", "failed")
    world.scripts = well
    world.tell(RetryRequested())
    world.run()
    assert (world.execution.status, world.statuses["both"]) == ("completed", "completed")


@settings(max_examples=150, deadline=None, suppress_health_check=slow)
@given(case=nested(failing=False), seed=seeds)
def test_nothing_fails_when_nothing_breaks(case: Case, seed: int) -> None:
    world = _world(case, seed)
    world.run()
    _check_success(world)
    assert not any(event.type == "node.lost" for event in world.events)


def _done(world: World) -> dict[str, int]:
    """The agents' nodes that have succeeded, with how often they were tried; a loop that ran out starts anew."""
    failed = [path for path, row in world.rows.items() if row.status is NodeStatus.FAILED]
    return {
        path: row.attempt
        for path, row in world.rows.items()
        if path in world.asked and row.status is NodeStatus.COMPLETED
        if not any(paths.is_inside(path, container) for container in failed)
    }


def _kept(world: World) -> dict[str, int]:
    """The agents' nodes of the flow itself that have succeeded, unless the flow's own handler led to them."""
    done = {path: attempt for path, attempt in _done(world).items() if path in world.plan.graph.nodes}
    done.pop(str(world.plan.flow.on_error), None)
    return done


def _check_success(world: World) -> None:
    failed = {event.data["error"]["code"] for event in world.events if event.type == "node.failed"}
    assert failed <= {"loop_exhausted", "join_failed"}
