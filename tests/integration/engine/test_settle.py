"""Ends of nodes that threads of one process tell at once, on the real store."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from typing import Any

import pytest
from sqlalchemy import text

from aispine.agent.contract import AgentReply
from aispine.engine import advance
from aispine.engine.advance import NOTHING, Held, Take
from aispine.engine.settle import End, settle
from aispine.engine.work import Worker
from aispine.store import transitions
from aispine.store.database import Store
from tests.integration.engine.crew import begin, fact, take
from tests.integration.engine.desk import NoCanvas, worker
from tests.support.flows import Flows
from tests.support.polling import eventually

WIDTH = 12
FIRST = [f"a{number}" for number in range(WIDTH)]
SECOND = [f"b{number}" for number in range(WIDTH)]


def _flow() -> dict[str, Any]:
    """Pairs of nodes side by side, and one that waits for all of them."""
    nodes = [(name, []) for name in FIRST] + [(second, [first]) for first, second in zip(FIRST, SECOND, strict=True)]
    return {
        "flow_id": "pairs",
        "version": "1.0.0",
        "name": "pairs",
        "nodes": [
            {"id": name, "type": "processor", "agent_id": "echo", "depends_on": depends_on}
            for name, depends_on in [*nodes, ("join", SECOND)]
        ],
    }


@contextmanager
def _locked(store: Store, execution_id: str) -> Iterator[None]:
    """Somebody else holds the lock of the execution meanwhile."""
    with store.session(None) as session:
        session.execute(text("SELECT 1 FROM executions WHERE execution_id = :id FOR UPDATE"), {"id": execution_id})
        yield


def _settled(store: Store, made: Worker, ends: list[End]) -> list[Held | None]:
    """Tells all ends, each in a thread of its own; all but the first have to wait for their turn together."""
    execution_id = ends[0].held.execution.execution_id
    with ThreadPoolExecutor(len(ends)) as pool:
        with _locked(store, execution_id):
            asked: list[Future[Held | None]] = [pool.submit(settle, made, end) for end in ends]
            eventually(lambda: made.ends._lines.get(execution_id) is not None)
            line = made.ends._lines[execution_id]
            eventually(lambda: line.people == len(ends) and len(line.waiting) == len(ends) - 1)
        return [each.result(30) for each in asked]


def _ends(held: list[Held], output: Any, take_on: Take) -> list[End]:
    return [
        End(held=each, fact=fact(each, AgentReply(output=output)), take=take_on, carrier=NoCanvas()) for each in held
    ]


def _held(store: Store, flows: Flows) -> list[Held]:
    execution_id = flows.start(flows.deploy(_flow()), announce=False)
    return [take(store, execution_id, path) for path in begin(store, execution_id).queued]


class _Counted:
    """How often, and with how many facts, the engine decides."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.facts: list[int] = []
        self._advance, self._lock = advance.advance, threading.Lock()
        monkeypatch.setattr(advance, "advance", self)

    def __call__(self, store: Store, execution_id: str, facts: Any, *arguments: Any, **options: Any) -> Any:
        with self._lock:
            self.facts.append(len(facts))
        return self._advance(store, execution_id, facts, *arguments, **options)


def test_ends_that_come_at_once_are_two_decisions_and_each_thread_goes_on(
    store: Store, flows: Flows, monkeypatch: pytest.MonkeyPatch
) -> None:
    held, counted, made = _held(store, flows), _Counted(monkeypatch), worker(store)
    following = _settled(store, made, _ends(held, {"done": True}, Take(queue="engine")))
    assert counted.facts == [1, WIDTH - 1]
    assert sorted(each.node.path for each in following if each) == sorted(SECOND)
    last = _settled(store, made, _ends([each for each in following if each], {"done": True}, Take(queue="engine")))
    assert [each.node.path for each in last if each] == ["join"]
    seen = flows.see(held[0].execution.execution_id)
    assert [event.seq for event in seen.events] == list(range(1, len(seen.events) + 1))
    assert {node.attempts for node in seen.nodes.values()} == {1}
    assert {seen.statuses[name] for name in [*FIRST, *SECOND]} == {"completed"}
    assert seen.statuses["join"] == "running"


def test_threads_without_time_take_nothing_and_all_that_follows_is_queued(store: Store, flows: Flows) -> None:
    held = _held(store, flows)
    assert _settled(store, worker(store), _ends(held, {}, NOTHING)) == [None] * WIDTH
    seen = flows.see(held[0].execution.execution_id)
    assert {seen.statuses[name] for name in SECOND} == {"queued"}


def test_ends_that_are_too_much_together_are_told_one_by_one(
    store: Store, flows: Flows, monkeypatch: pytest.MonkeyPatch
) -> None:
    held = _held(store, flows)
    counted = _Counted(monkeypatch)
    monkeypatch.setattr(transitions, "MAX_BYTES", 20_000)
    _settled(store, worker(store), _ends(held, {"words": "w" * 5_000}, Take(queue="engine")))
    assert counted.facts == [1, WIDTH - 1, *[1] * (WIDTH - 1)]
    seen = flows.see(held[0].execution.execution_id)
    assert seen.status == "running"
    assert {seen.statuses[name] for name in FIRST} == {"completed"}
