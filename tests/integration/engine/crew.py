"""Threads that play the workers of one execution, on the real store: claim, finish, and on with what became ready."""

from __future__ import annotations

import queue
import threading
from collections import Counter
from collections.abc import Callable, Iterable
from typing import Any

from aispine.agent.contract import AgentReply
from aispine.engine import plans
from aispine.engine.advance import NOTHING, Held, Take, advance, claim, foresee, next_after, write
from aispine.engine.facts import Fact, Finished, Started
from aispine.engine.terms import Terms
from aispine.errors import AISpineError
from aispine.flow.state import Transition
from aispine.store.database import Store

TERMS = Terms(owner="crew:1:1", lease=60.0)


def together(*works: Callable[[], Any]) -> list[Any]:
    """Does all of it at the same instant, a thread each; returns the results, or raises the first error."""
    barrier = threading.Barrier(len(works))
    results: list[Any] = [None] * len(works)
    errors: list[BaseException] = []

    def do(index: int, work: Callable[[], Any]) -> None:
        barrier.wait()
        try:
            results[index] = work()
        except BaseException as error:  # noqa: BLE001 - raised again by the caller's thread
            errors.append(error)

    threads = [threading.Thread(target=do, args=(index, work)) for index, work in enumerate(works)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
        assert not thread.is_alive(), "a thread hangs"
    if errors:
        raise errors[0]
    return results


def begin(store: Store, execution_id: str) -> Transition:
    transition = advance(store, execution_id, [Started()], TERMS)
    assert transition is not None
    return transition


def take(store: Store, execution_id: str, path: str, terms: Terms = TERMS) -> Held:
    (held,) = claim(store, execution_id, [path], terms)
    return held


def done(store: Store, held: Held, *, take_from: str | None = None) -> Transition | None:
    """Finishes a held node with an output that names it."""
    reply = AgentReply(output={"from": held.node.path})
    return finish(store, held, fact(held, reply), TERMS, Take(queue=take_from))


def finish(store: Store, held: Held, told: Fact, terms: Terms, take: Take = NOTHING) -> Transition | None:
    """Writes what is foreseen, or else decides under the lock."""
    foreseen = foresee(store, held, told, terms, take)
    if foreseen is not None and write(store, held.execution, foreseen):
        return foreseen
    rows = plans.reach(plans.find(store, held.execution.flow_version_id), held.node.path)
    return advance(store, held.execution.execution_id, [told], terms, rows=rows, take=take)


def fact(held: Held, outcome: Any) -> Finished:
    return Finished(path=held.node.path, attempt=held.node.attempt, outcome=outcome)


class Crew:
    """Several threads that run one execution to its end. `queued` counts how often each node became ready."""

    def __init__(self, store: Store, execution_id: str, *, inline: bool = False) -> None:
        self._store = store
        self._execution_id = execution_id
        self._take_from = "engine" if inline else None
        self._messages: queue.Queue[str | None] = queue.Queue()
        self._lock = threading.Lock()
        self.queued: Counter[str] = Counter()
        self.claimed: Counter[str] = Counter()

    def run(self, threads: int) -> None:
        self._send(begin(self._store, self._execution_id))
        together(*[self._work] * threads)

    def _work(self) -> None:
        try:
            while (path := self._messages.get(timeout=30)) is not None:
                self._follow(next(iter(claim(self._store, self._execution_id, [path], TERMS)), None))
        except BaseException:
            self._messages.put(None)
            raise
        self._messages.put(None)

    def _follow(self, held: Held | None) -> None:
        while held is not None:
            self._count(self.claimed, [held.node.path])
            transition = done(self._store, held, take_from=self._take_from)
            held = self._send(transition) if transition is not None else None

    def _send(self, transition: Transition) -> Held | None:
        self._count(self.queued, [*transition.queued, *transition.claimed])
        for path in transition.queued:
            # Twice: a doubled message runs nothing twice.
            self._messages.put(path)
            self._messages.put(path)
        if transition.execution.status.terminal:
            self._messages.put(None)
        return next_after(transition)

    def _count(self, counter: Counter[str], paths: Iterable[str]) -> None:
        with self._lock:
            counter.update(paths)


def tolerant(work: Callable[[], Any], *errors: type[AISpineError]) -> Callable[[], Any]:
    """The work, of which some refusals are fine."""

    def do() -> Any:
        try:
            return work()
        except errors as error:
            return error

    return do
