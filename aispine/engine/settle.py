"""Ends of nodes, told under the lock of their execution, together where several come at once."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial

from aispine.engine import advance, plans
from aispine.engine.advance import NOTHING, Held, Take
from aispine.engine.carrier import Carrier, keep_up
from aispine.engine.lane import Told
from aispine.engine.patience import patiently
from aispine.engine.work import Worker
from aispine.flow.state import ExecutionState, Transition
from aispine.store import due
from aispine.store.transitions import TransitionTooLargeError


@dataclass(frozen=True, kw_only=True, slots=True)
class End:
    """What came of a held node; whoever tells it goes on with what `take` allows."""

    held: Held
    fact: Told
    take: Take
    carrier: Carrier


def settle(worker: Worker, end: End) -> Held | None:
    """Ends a held node and sees to what follows; returns what the caller runs next."""
    return worker.ends.ask(end.held.execution.execution_id, end, partial(_settle, worker))


def tell(
    worker: Worker, execution: ExecutionState, facts: Sequence[Told], take: Take, *, divisible: bool = False
) -> Transition | None:
    """Tells the store what came of nodes; what follows is the caller's to send. Raises as `advance` does."""
    store, execution_id = worker.store, execution.execution_id
    plan = plans.find(store, execution.flow_version_id)
    rows = {row for fact in facts for row in plans.reach(plan, fact.path)}
    transition = patiently(
        advance.advance, store, execution_id, facts, worker.terms, rows=rows, take=take, divisible=divisible
    )
    if transition is not None and transition.empty:
        # It was told before and the answer got lost: nobody has sent what followed from it.
        patiently(due.hasten_execution, store, execution_id)
    return transition


def _settle(worker: Worker, ends: Sequence[End]) -> list[Held | None]:
    """Several ends of one execution; each on its own where together they are more than the store takes."""
    try:
        return _settle_together(worker, ends)
    except TransitionTooLargeError:
        return [_settle_together(worker, [end])[0] for end in ends]


def _settle_together(worker: Worker, ends: Sequence[End]) -> list[Held | None]:
    facts = [end.fact for end in ends]
    transition = tell(worker, ends[0].held.execution, facts, _take(ends), divisible=len(ends) > 1)
    if transition is None:
        for end in ends:
            end.carrier.stop()
        return [None] * len(ends)
    worker.dispatch.follow(transition, queued=_queued(ends, transition))
    held = iter(advance.held_after(transition))
    return [None if end.take is NOTHING else next(held, None) for end in ends]


def _take(ends: Sequence[End]) -> Take:
    """All ends of a process are of nodes of its own queue."""
    takes = [end.take for end in ends if end.take is not NOTHING]
    return Take(queue=takes[0].queue, most=len(takes)) if takes else NOTHING


def _queued(ends: Sequence[End], transition: Transition) -> tuple[str, ...]:
    """What needs a message of its own; what follows from several ends is in nobody's canvas."""
    if len(ends) == 1:
        return keep_up(ends[0].carrier, transition)
    for end in ends:
        end.carrier.stop()
    return transition.queued
