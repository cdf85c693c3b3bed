"""Handing back what a process runs that has to stop before it is done."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence

from aispine.engine.advance import advance
from aispine.engine.dispatch import Dispatch
from aispine.engine.facts import Lost
from aispine.engine.recover import TAKEN
from aispine.engine.terms import Terms
from aispine.store import call_slots, due, leases


def hand_back(dispatch: Dispatch, terms: Terms, owners: Sequence[str], queue: str) -> int:
    """Queues again at once what the processes `owners` run, and what they had taken of a queue; returns how many ran.

    They must not go on with it: whatever they still say is refused. Raises `StoreUnavailable`.
    """
    call_slots.give_up(dispatch.store, owners)
    facts: dict[str, list[Lost]] = defaultdict(list)
    for execution_id, path, attempt in leases.held_by(dispatch.store, owners):
        facts[execution_id].append(Lost(path=path, attempt=attempt, handed_back=True))
    for execution_id, lost in facts.items():
        transition = advance(dispatch.store, execution_id, lost, terms)
        if transition is not None and not transition.empty:
            dispatch.follow(transition, queued=())
            dispatch.send_ahead(transition, transition.queued)
    due.hasten_oldest(dispatch.store, [queue], older_than=0.0, lost_after=terms.lost_after, limit=TAKEN)
    return sum(map(len, facts.values()))
