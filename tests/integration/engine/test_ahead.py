"""Quick nodes whose ends are recorded together: in a row, where the worker runs ahead of the store, and in lanes."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import pytest

from aispine.engine import advance, run
from aispine.engine.advance import advance as tell
from aispine.engine.facts import PauseRequested, ResumeRequested, SignalReceived
from aispine.engine.lease import Leases
from aispine.flow.state import Signal
from aispine.store.database import Store
from tests.integration.engine.crew import TERMS, begin
from tests.integration.engine.desk import NoCanvas, worker
from tests.support.flows import Flows, Seen
from tests.support.polling import eventually
from tests.support.shapes import echo, fan, flow, line

pytestmark = pytest.mark.usefixtures("settings_env")
LONG = 60.0


def _begun(store: Store, flows: Flows, definition: dict[str, Any]) -> str:
    execution_id = flows.start(flows.deploy(definition), {"x": 1}, announce=False)
    begin(store, execution_id)
    return execution_id


def _check(seen: Seen) -> None:
    assert seen.status == "completed", seen.execution.error
    assert [event.seq for event in seen.events] == list(range(1, len(seen.events) + 1))
    assert all(seen.count("node.completed", path) == 1 for path in seen.nodes)


class _Interrupted(Leases):
    """Something happens while the agent of one node is called for the first time."""

    def __init__(self, path: str, happening: Callable[[], object]) -> None:
        self._path, self._happening = path, happening

    @contextmanager
    def hold(self, execution_id: str, path: str, attempt: int) -> Iterator[None]:
        del execution_id, attempt
        if path == self._path:
            self._path = ""
            self._happening()
        yield


def _interrupted(store: Store, path: str, happening: Callable[[], object]) -> run.Worker:
    made = worker(store, ahead=LONG, slice=LONG)
    return run.Worker(
        store=store,
        settings=made.settings,
        terms=made.terms,
        leases=_Interrupted(path, happening),
        dispatch=made.dispatch,
        agents=made.agents,
    )


@pytest.mark.parametrize(("ahead", "written"), [(LONG, 1), (0.0, 8)])
def test_quick_nodes_in_a_row_are_recorded_together(
    store: Store, flows: Flows, monkeypatch: pytest.MonkeyPatch, ahead: float, written: int
) -> None:
    execution_id = _begun(store, flows, line(f"together_{written}", "abcdefgh"))
    write, writes = advance.write, []
    monkeypatch.setattr(advance, "write", lambda *arguments: writes.append(arguments) or write(*arguments))
    run.run(worker(store, ahead=ahead, slice=LONG), execution_id, "a", NoCanvas())
    seen = flows.see(execution_id)
    _check(seen)
    assert len(writes) == written
    assert {node.attempts for node in seen.nodes.values()} == {1}


def test_what_a_node_does_that_is_not_quick_is_recorded_at_once(
    store: Store, flows: Flows, monkeypatch: pytest.MonkeyPatch
) -> None:
    mixed = flow("mixed", echo("a"), echo("b", "a", pool="cpu"), echo("c", "b"), echo("d", "c"))
    execution_id = _begun(store, flows, mixed)
    seen: list[dict[str, str]] = []
    desk = _interrupted(store, "b", lambda: seen.append(flows.see(execution_id).statuses))
    run.run(desk, execution_id, "a", NoCanvas())
    assert flows.see(execution_id).statuses["b"] == "queued"
    run.run(desk, execution_id, "b", NoCanvas())
    assert seen == [{"a": "completed", "b": "running", "c": "pending", "d": "pending"}]


@pytest.mark.parametrize("path", ["a", "b", "d"])
def test_what_was_decided_is_void_when_the_execution_has_moved_on(store: Store, flows: Flows, path: str) -> None:
    execution_id = _begun(store, flows, line(f"overtaken_{path}", "abcd"))
    signal = SignalReceived(signal=Signal(signal_id=f"s-{execution_id}", name="hello", payload=None))
    desk = _interrupted(store, path, lambda: tell(store, execution_id, [signal], TERMS))
    run.run(desk, execution_id, "a", NoCanvas())
    _check(flows.see(execution_id))


def test_a_pause_is_heeded_by_what_runs_ahead(store: Store, flows: Flows) -> None:
    execution_id = _begun(store, flows, line("halted", "abcd"))
    desk = _interrupted(store, "c", lambda: tell(store, execution_id, [PauseRequested()], TERMS))
    run.run(desk, execution_id, "a", NoCanvas())
    seen = flows.see(execution_id)
    assert seen.status == "paused"
    assert seen.statuses == {"a": "completed", "b": "queued", "c": "pending", "d": "pending"}
    tell(store, execution_id, [ResumeRequested()], TERMS)
    run.run(desk, execution_id, "b", NoCanvas())
    _check(flows.see(execution_id))


@contextmanager
def _aside(work: Callable[[], object]) -> Iterator[None]:
    thread = threading.Thread(target=work)
    thread.start()
    try:
        yield
    finally:
        thread.join(30)
        assert not thread.is_alive()


def test_a_node_that_takes_its_time_keeps_nothing_unrecorded(store: Store, flows: Flows) -> None:
    slow = echo("b", "a", config={"sleep_seconds": 1.0})
    execution_id = _begun(store, flows, flow("unhurried", echo("a"), slow, echo("c", "b")))
    with _aside(lambda: run.run(worker(store, ahead=0.02, slice=LONG), execution_id, "a", NoCanvas())):
        wanted = {"a": "completed", "b": "running", "c": "pending"}
        eventually(lambda: flows.see(execution_id).statuses == wanted, 10)
    _check(flows.see(execution_id))


def test_a_lane_gives_back_what_stands_behind_a_slow_node(store: Store, flows: Flows) -> None:
    definition = fan("stuck_lane", 4)
    definition["nodes"][1] |= {"config": {"sleep_seconds": 1.0}}
    execution_id = _begun(store, flows, definition)
    lane = [f"b{index}" for index in range(4)]
    with _aside(lambda: run.run_lane(worker(store, slice=0.1), execution_id, lane, NoCanvas())):
        wanted = {"b0": "completed", "b1": "running", "b2": "queued", "b3": "queued", "join": "pending"}
        eventually(lambda: flows.see(execution_id).statuses == wanted, 10)
    assert {flows.see(execution_id).nodes[path].attempts for path in ("b2", "b3")} == {0}
    run.run_lane(worker(store, slice=LONG), execution_id, lane, NoCanvas())
    seen = flows.see(execution_id)
    _check(seen)
    assert {node.attempts for node in seen.nodes.values()} == {1}
    assert [seen.count("node.released", path) for path in lane] == [0, 0, 1, 1]
