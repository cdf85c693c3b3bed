"""Running one message: claim, call the agent, finish, and go on inline while the time slice lasts."""

from __future__ import annotations

import time
from collections.abc import Sequence
from contextlib import AbstractContextManager
from functools import partial

from aispine.engine import advance, children
from aispine.engine.advance import NOTHING, Held, Take
from aispine.engine.ahead import Ahead
from aispine.engine.carrier import Carrier, keep_up
from aispine.engine.facts import Fact, Started
from aispine.engine.lane import Batch, Told
from aispine.engine.patience import patiently
from aispine.engine.queueing import QUEUES
from aispine.engine.settle import tell
from aispine.engine.work import Worker, work
from aispine.flow.state import ExecutionState, Transition
from aispine.flow.status import NodeStatus
from aispine.store import node_glance


def start(worker: Worker, execution_id: str, carrier: Carrier) -> None:
    """Starts an execution and runs its first quick node."""
    _advance(worker, execution_id, Started(), carrier)


def run(worker: Worker, execution_id: str, path: str, carrier: Carrier) -> None:
    """Runs a queued node and what follows it in this process; a node that is not to be had is left alone.

    A node that is done already lets the chain go on, since its continuation may have been lost.
    """
    held = worker.claims.ask(execution_id, path, partial(_claim_each, worker, execution_id))
    if held is not None:
        _go_on(worker, held, carrier)
        return
    glance = patiently(node_glance.find, worker.store, execution_id, path)
    if glance is None or glance.status is not NodeStatus.COMPLETED:
        carrier.stop()
    if glance is not None and glance.status is NodeStatus.WAITING and glance.child is not None:
        _look_at_child(worker, execution_id, path, glance.child, carrier)


def run_lane(worker: Worker, execution_id: str, places: Sequence[str], carrier: Carrier) -> None:
    """Runs queued nodes one after the other; all are claimed at once and those that have ended are recorded together.

    When the slice is over, what was not begun is given back and sent again.
    """
    held = _claim(worker, execution_id, places)
    if not held:
        return
    execution, batch = held[0].execution, Batch(held)
    until = time.monotonic() + worker.settings.slice
    # A node that turns out slow keeps this thread busy, so another one sees to what stands before and behind it.
    alarm = worker.watchdog.after(worker.settings.slice, lambda: _record(worker, execution, batch.give_back()))
    try:
        _run_batch(worker, execution, batch, until)
    finally:
        alarm.call_off()
        transition = _record(worker, execution, batch.give_back(), _within(until))
    if transition is not None:
        _go_on(worker, advance.next_after(transition), carrier)


def _run_batch(worker: Worker, execution: ExecutionState, batch: Batch, until: float) -> None:
    while time.monotonic() < until and (held := batch.next()) is not None:
        with _leased(worker, held):
            batch.end(work(worker, held))
        _record(worker, execution, batch.ended(after=worker.settings.ahead))


def _record(
    worker: Worker, execution: ExecutionState, facts: Sequence[Told], take: Take = NOTHING
) -> Transition | None:
    """Tells the store what came of nodes of a lane, and sends what follows."""
    if not facts:
        return None
    transition = tell(worker, execution, facts, take)
    if transition is not None:
        worker.dispatch.follow(transition)
    return transition


def _claim_each(worker: Worker, execution_id: str, places: Sequence[str]) -> list[Held | None]:
    """One answer for each place; of a doubled message the first has the node."""
    found = {held.node.path: held for held in _claim(worker, execution_id, places)}
    return [found.pop(path, None) for path in places]


def _claim(worker: Worker, execution_id: str, places: Sequence[str]) -> list[Held]:
    found = patiently(advance.claim, worker.store, execution_id, places, worker.terms)
    for held in found:
        worker.dispatch.meter.begun(held.node)
    if found:
        worker.dispatch.wakeups.wake(execution_id)
    return found


def _look_at_child(worker: Worker, execution_id: str, path: str, child: str, carrier: Carrier) -> None:
    fact = patiently(children.ended, worker.store, path, child)
    if fact is not None:
        _advance(worker, execution_id, fact, carrier, rows=(path,))


def _advance(worker: Worker, execution_id: str, fact: Fact, carrier: Carrier, rows: Sequence[str] = ()) -> None:
    """Tells what happened, and runs the first quick node that became ready."""
    take = Take(queue=QUEUES["quick"])
    transition = patiently(advance.advance, worker.store, execution_id, [fact], worker.terms, rows=rows, take=take)
    if transition is not None and not transition.empty:
        worker.dispatch.follow(transition, queued=keep_up(carrier, transition))
        _go_on(worker, advance.next_after(transition), carrier)


def _within(until: float, queue: str = QUEUES["quick"]) -> Take:
    """While the slice lasts, this process goes on with what becomes ready on its queue."""
    return Take(queue=queue) if time.monotonic() < until else NOTHING


def _go_on(worker: Worker, held: Held | None, carrier: Carrier) -> None:
    until = time.monotonic() + worker.settings.slice
    ahead = Ahead(worker, carrier)
    try:
        while held is not None:
            # Until its end is written: many threads that all have something to tell wait longer for that than a lease.
            with _leased(worker, held):
                fact = work(worker, held)
                held = ahead.finish(held, fact, _within(until, str(held.node.queue)))
    finally:
        ahead.close()


def _leased(worker: Worker, held: Held) -> AbstractContextManager[None]:
    return worker.leases.hold(held.execution.execution_id, held.node.path, held.node.attempt)
