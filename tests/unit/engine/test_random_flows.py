"""Random flows end as the rules of the language say, whatever happens to messages and processes on the way."""

from __future__ import annotations

from random import Random

from hypothesis import given, settings
from hypothesis import strategies as st

from aispine.flow.status import NodeStatus
from tests.unit.engine.reference import predict
from tests.unit.engine.simulation import Chaos, World, told
from tests.unit.engine.strategies import Case, cases

CHAOS = Chaos(lose=0.2, double=0.2, die=0.2, late=0.5, release=0.1, budget=40)
seeds = st.integers(0, 2**32)


def _world(case: Case, seed: int, chaos: Chaos | None = None) -> World:
    return World(case.flow, dict(case.flags), case.scripts, Random(seed), chaos)


def _check_end(case: Case, world: World) -> None:
    expected = predict(case.flow.nodes, case.flags, case.scripts)
    assert world.execution.status == ("failed" if expected.failed else "completed")
    if not expected.failed or case.flow.on_failure == "finish":
        assert world.statuses == {name: status or "skipped" for name, status in expected.statuses.items()}
        assert {name: world.asked[name] for name in expected.inputs} == expected.inputs
    _check_events(world)


def _check_events(world: World) -> None:
    found = told(world.events)
    assert len(found.terminal) == 1
    assert world.events[-1].type == found.terminal[0]
    assert set(found.started.values()) <= {0, 1}
    ended = {path for path, row in world.rows.items() if row.status.terminal}
    assert found.ended == dict.fromkeys(ended, 1)
    assert world.execution.open_nodes == 0
    assert all(row.due_at is None and row.lease_owner is None for row in world.rows.values() if row.status.terminal)


@settings(max_examples=150, deadline=None)
@given(case=cases(), seed=seeds)
def test_a_flow_ends_as_its_edges_say(case: Case, seed: int) -> None:
    world = _world(case, seed)
    world.run()
    _check_end(case, world)


@settings(max_examples=150, deadline=None)
@given(case=cases(), seed=seeds)
def test_mishaps_do_not_change_how_a_flow_ends(case: Case, seed: int) -> None:
    world = _world(case, seed, CHAOS)
    world.run()
    _check_end(case, world)


@settings(max_examples=60, deadline=None)
@given(case=cases(failing=False), seed=seeds)
def test_no_attempt_is_made_twice_when_nothing_is_lost(case: Case, seed: int) -> None:
    world = _world(case, seed, Chaos(double=0.5, budget=40))
    world.run()
    assert all(row.attempt <= 1 for row in world.rows.values())
    _check_end(case, world)


@settings(max_examples=60, deadline=None)
@given(case=cases(), seed=seeds, after=st.integers(0, 30))
def test_a_cancel_at_any_point_ends_everything(case: Case, seed: int, after: int) -> None:
    world = _world(case, seed, CHAOS)
    for _ in range(after):
        world.step()
    ended_before = world.execution.status.terminal
    world.cancel()
    assert world.execution.status.terminal
    assert ended_before or world.execution.status == "cancelled"
    assert not any(row.status.open for row in world.rows.values())
    world.run()
    _check_events(world)


@settings(max_examples=60, deadline=None)
@given(case=cases(on_failure="fail"), seed=seeds)
def test_nothing_is_open_after_an_unhandled_failure(case: Case, seed: int) -> None:
    world = _world(case, seed)
    world.run()
    open_statuses = {status for status in world.statuses.values() if NodeStatus(status).open}
    assert open_statuses == set()
