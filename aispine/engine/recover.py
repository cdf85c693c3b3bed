"""Recovery: what is due, lost or left behind is found in the store and set going again.

Everything in flight has a row with a due time, so nothing can be forgotten: a running node's is the end of its lease,
a queued one's is when its message counts as lost. Safe with any number of beats.
"""

from __future__ import annotations

import time
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any, Final

from celery import Celery
from kombu.exceptions import OperationalError

from aispine import logs
from aispine.engine import canvas, children, slots
from aispine.engine.advance import advance
from aispine.engine.dispatch import Dispatch
from aispine.engine.facts import DeadlinePassed, Fact, Lost, RetryDue, Stalled, TimeCome
from aispine.engine.queueing import QUEUES
from aispine.engine.queues import Queues
from aispine.engine.start import START_PATIENCE
from aispine.engine.terms import Terms
from aispine.errors import StoreUnavailable
from aispine.events.types import EventType
from aispine.flow.status import NodeStatus
from aispine.store import call_slots, due, leases
from aispine.store.database import Store

_log = logs.get(__name__)
BATCH: Final = 500
START_AGAIN: Final = 60.0
"""Seconds between two announcements of a start that no worker picks up."""
LOOK_AGAIN: Final = 10.0
"""Seconds between two looks for what has no time of its own: children whose parent has ended without telling them, and
executions in which nothing is in flight."""
LOOK_AT_LINES: Final = 1.0
"""Seconds between two looks at who waits for a call slot."""
OPEN: Final = 1000
"""How many open executions one of these looks takes in; the next goes on behind them."""
_BEGINNING: Final = "00000000-0000-0000-0000-000000000000"
SETTLED: Final = 3.0
"""Seconds that a node has been queued before an empty queue means that its message is gone."""
BACKLOG: Final = 100
"""More messages than this in the queue of the engine are a backlog: a worker sees to a hundred starts in a second."""
TAKEN: Final = 100
"""How many messages a process may have taken at most that it had not begun."""


@dataclass(kw_only=True)
class Tick:
    """What the tick works with."""

    store: Store
    celery: Celery
    terms: Terms
    dispatch: Dispatch
    queues: Queues
    strays_looked_for: float = 0.0
    lines_looked_at: float = 0.0
    open_seen: str = _BEGINNING
    """The last open execution that was looked at."""
    looked_at: float = field(default_factory=time.monotonic)
    """When this tick last got through."""
    bereaved: set[str] = field(default_factory=set)
    """Queues of nodes whose process was found dead in this tick."""

    def recover(self) -> int:
        """Sets going again whatever is due or lost; returns how many executions could not be helped."""
        self._spare_the_living()
        self._find_lost_messages()
        facts: dict[str, list[Fact]] = defaultdict(list)
        for row in due.nodes(self.store, BATCH):
            facts[str(row.execution_id)].append(self._fact(row))
        for execution_id in due.deadlines(self.store, BATCH):
            facts[execution_id].append(DeadlinePassed())
        helped = [self._try_advance(execution_id, found) for execution_id, found in facts.items()]
        # What a dead process had taken was at the front; what an emptied broker held stands in line as it did.
        self._send_again(ahead=self._find_what_was_taken())
        self._look_at_lines()
        self._look_for_strays()
        return helped.count(False)

    def _spare_the_living(self) -> None:
        """Nobody could renew a lease while PostgreSQL was away, so one that ended then says nothing of its process."""
        grace = self.terms.lease / 2
        if time.monotonic() > self.looked_at + grace:
            spared = leases.spare(self.store, grace)
            call_slots.spare(self.store, grace)
            if spared:
                _log.warning("recover.leases_spared", running=spared, seconds=grace)
        self.looked_at = time.monotonic()

    def pause(self, longest: float) -> float:
        """Seconds until something is due, `longest` at most."""
        due_at, now = due.next_due(self.store)
        if due_at is None:
            return longest
        return min(max((due_at - now).total_seconds(), 0.02), longest)

    def _fact(self, row: Any) -> Fact:
        if row.status == NodeStatus.RETRYING:
            return RetryDue(path=row.path, attempt=row.attempt)
        if row.status == NodeStatus.RUNNING and row.lease_owner is not None:
            return Lost(path=row.path, attempt=row.attempt)
        child = (row.state or {}).get("child")
        ended = children.ended(self.store, row.path, child) if child is not None else None
        return ended or TimeCome(path=row.path)

    def _try_advance(self, execution_id: str, facts: list[Fact]) -> bool:
        """One execution that cannot be advanced must not keep the tick from all the others."""
        try:
            self._advance(execution_id, facts)
        except StoreUnavailable:
            raise
        except Exception:  # noqa: BLE001 - recorded, and the execution stays due
            _log.exception("recover.failed", execution=execution_id)
            return False
        return True

    def _advance(self, execution_id: str, facts: list[Fact]) -> None:
        transition = advance(self.store, execution_id, facts, self.terms)
        if transition is None or transition.empty:
            return
        lost = [event for event in transition.events if event.type == EventType.NODE_LOST]
        for event in lost:
            self.bereaved.add(str(transition.nodes[str(event.path)].queue))
            _log.warning("recover.lost", execution=execution_id, path=event.path, **event.data)
        paths = {event.path for event in lost}
        self.dispatch.follow(transition, queued=tuple(path for path in transition.queued if path not in paths))
        self.dispatch.send_ahead(transition, [path for path in transition.queued if path in paths])

    def _look_at_lines(self) -> None:
        """Whoever ends a call lets the next one in, unless he died."""
        if time.monotonic() >= self.lines_looked_at + LOOK_AT_LINES:
            self.lines_looked_at = time.monotonic()
            self.dispatch.let_in(slots.look(self.store))

    def _look_for_strays(self) -> None:
        if time.monotonic() < self.strays_looked_for + LOOK_AGAIN:
            return
        self.strays_looked_for = time.monotonic()
        for child in due.orphans(self.store, BATCH):
            self.dispatch.cancel(child, "its parent has ended")
        found = due.open_executions(self.store, self.open_seen, OPEN)
        self.open_seen = str(found[-1].execution_id) if len(found) == OPEN else _BEGINNING
        for execution_id in (str(row.execution_id) for row in found if row.stalled):
            _log.warning("recover.stalled", execution=execution_id)
            self._try_advance(execution_id, [Stalled()])
        call_slots.sweep(self.store, OPEN)

    def _send_again(self, *, ahead: bool) -> None:
        try:
            for row in due.resend_nodes(self.store, BATCH, self.terms.lost_after):
                first = ahead or row.lost
                canvas.send_node(self.celery, str(row.execution_id), row.flow_id, row.path, row.queue, ahead=first)
                if not row.first:
                    self.dispatch.meter.add("messages_resent_total", 1)
            for row in self._lost_starts():
                canvas.send_start(self.celery, str(row.execution_id), row.flow_id)
                self.dispatch.meter.add("messages_resent_total", 1)
        except OperationalError as error:
            _log.warning("recover.not_sent", error=str(error))

    def _lost_starts(self) -> Sequence[Any]:
        """Starts whose message counts as lost. Behind a backlog it does not so soon: that is when a second one hurts.

        If it is lost all the same, it is found once the queues are empty, or the next time.
        """
        found = due.resend_starts(self.store, BATCH, START_AGAIN, START_PATIENCE)
        if any(row.first for row in found) and self.queues.lengths().get(QUEUES["quick"], 0) > BACKLOG:
            return [row for row in found if not row.first]
        return found

    def _find_what_was_taken(self) -> bool:
        """A process that died may have taken messages of nodes that it had not begun: the oldest of its queue.

        True when one has died.
        """
        queues, self.bereaved = sorted(self.bereaved), set()
        if queues:
            # It died within the last lease, so what was queued since the middle of that is hardly among them.
            age = min(SETTLED, self.terms.lease / 2)
            due.hasten_oldest(self.store, queues, older_than=age, lost_after=self.terms.lost_after, limit=TAKEN)
        return bool(queues)

    def _find_lost_messages(self) -> None:
        """The broker was emptied or replaced, or holds nothing while nodes are queued: their messages are gone."""
        age = self.queues.renewed()
        if age is not None:
            # Of several beats the first sends again; the others see to what it has not.
            hastened = due.hasten_queued(
                self.store,
                older_than=0.0,
                nodes_within=self.terms.lost_after - age,
                starts_within=START_AGAIN - age,
            )
        elif self.queues.empty():
            hastened = due.hasten_queued(self.store, older_than=SETTLED)
        else:
            return
        if hastened:
            _log.warning("recover.messages_lost", queued=hastened)
