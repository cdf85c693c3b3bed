"""Recovery: what is due, lost or left behind is found in the store and set going again.

Everything in flight has a row with a due time, so nothing can be forgotten: a running node's is the end of its lease,
a queued one's is when its message counts as lost. Safe with any number of beats.
"""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from celery import Celery
from kombu.exceptions import OperationalError

from aispine import logs
from aispine.engine import canvas, plans
from aispine.engine.advance import advance
from aispine.engine.facts import DeadlinePassed, Fact, Lost, RetryDue
from aispine.engine.queues import Queues
from aispine.engine.terms import Terms
from aispine.errors import StoreUnavailable
from aispine.flow.status import NodeStatus
from aispine.store import due
from aispine.store.database import Store

if TYPE_CHECKING:
    # Beat runs no node: what a worker needs for that would cost it several megabytes.
    from aispine.engine.run import Wakeups

_log = logs.get(__name__)
BATCH: Final = 500
START_AGAIN: Final = 60.0
"""Seconds between two announcements of a start that no worker picks up."""
SETTLED: Final = 3.0
"""Seconds that a node has been queued before an empty queue means that its message is gone."""


@dataclass(frozen=True, kw_only=True)
class Tick:
    """What the tick works with."""

    store: Store
    celery: Celery
    terms: Terms
    wakeups: Wakeups
    queues: Queues

    def recover(self) -> int:
        """Sets going again whatever is due or lost; returns how many executions could not be helped."""
        self._find_lost_messages()
        facts: dict[str, list[Fact]] = defaultdict(list)
        for row in due.nodes(self.store, BATCH):
            kind = Lost if row.status == NodeStatus.RUNNING else RetryDue
            facts[str(row.execution_id)].append(kind(path=row.path, attempt=row.attempt))
        for execution_id in due.deadlines(self.store, BATCH):
            facts[execution_id].append(DeadlinePassed())
        helped = [self._try_advance(execution_id, found) for execution_id, found in facts.items()]
        self._send_again()
        return helped.count(False)

    def pause(self, longest: float) -> float:
        """Seconds until something is due, `longest` at most."""
        due_at, now = due.next_due(self.store)
        if due_at is None:
            return longest
        return min(max((due_at - now).total_seconds(), 0.02), longest)

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
        for event in transition.events:
            if event.type == "node.lost":
                _log.warning("recover.lost", execution=execution_id, path=event.path, **event.data)
        if transition.queued:
            plan = plans.find(self.store, transition.execution.flow_version_id)
            canvas.send(self.celery, plan, transition, transition.queued)
        self.wakeups.wake(execution_id)

    def _send_again(self) -> None:
        try:
            for row in due.resend_nodes(self.store, BATCH, self.terms.lost_after):
                canvas.send_node(self.celery, str(row.execution_id), row.flow_id, row.path, row.queue)
            for row in due.resend_starts(self.store, BATCH, START_AGAIN):
                canvas.send_start(self.celery, str(row.execution_id), row.flow_id)
        except OperationalError as error:
            _log.warning("recover.not_sent", error=str(error))

    def _find_lost_messages(self) -> None:
        """The broker was emptied or replaced, or holds nothing while nodes are queued: their messages are gone."""
        if self.queues.renewed():
            hastened = due.hasten_queued(self.store, older_than=0.0)
        elif self.queues.empty():
            hastened = due.hasten_queued(self.store, older_than=SETTLED)
        else:
            return
        if hastened:
            _log.warning("recover.messages_lost", queued=hastened)
