"""What ended long ago goes, a little at a time, so that no lock is held for long and nothing else waits for it."""

from __future__ import annotations

import math
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Final

from sqlalchemy import func, select

from aispine import logs
from aispine.errors import StoreUnavailable
from aispine.store import agent_metrics, cached_answers, calls, idempotency, retention
from aispine.store.database import Store
from aispine.store.retention import Place, Tree

_log = logs.get(__name__)
AGAIN: Final = 60.0
"""Seconds until the next look when there was nothing more."""
SLICE: Final = 0.2
"""Seconds of a tick for which batches are deleted; one batch is always whole."""
ROOTS: Final = 50
EVENTS: Final = 10_000
"""How many events a batch may have; a single execution may have more."""
_ROWS: Final = 1_000
_BEGINNING: Final[Place] = (datetime.min.replace(tzinfo=UTC), "00000000-0000-0000-0000-000000000000")


@dataclass(kw_only=True)
class Retention:
    """Deletes executions that ended more than `seconds` ago, the audit of calls older than `call_seconds`, old keys.

    0 keeps executions, and calls.
    """

    store: Store
    seconds: float
    call_seconds: float = 0.0
    _look_at: float = field(default=-math.inf, init=False)
    _after: Place = field(default=_BEGINNING, init=False)

    def forget(self) -> None:
        """Deletes what it finds within a slice of time; call it again and again. Raises `StoreUnavailable`."""
        if time.monotonic() < self._look_at:
            return
        try:
            more = self._forget_for(SLICE)
        except StoreUnavailable:
            raise
        except Exception:  # noqa: BLE001 - recorded; what cannot be deleted must not stop the clock
            _log.exception("retention.failed")
            more = False
        if not more:
            self._after, self._look_at = _BEGINNING, time.monotonic() + AGAIN

    def _forget_for(self, seconds: float) -> bool:
        end = time.monotonic() + seconds
        while self._forget_batch():
            if time.monotonic() >= end:
                return True
        return False

    def _forget_batch(self) -> bool:
        """True when there may be more."""
        with self.store.session(None) as session:
            agent_metrics.forget(session)
            more = idempotency.forget_old(session, limit=_ROWS) == _ROWS
            more |= cached_answers.forget(session, limit=_ROWS) == _ROWS
            now = session.scalars(select(func.clock_timestamp())).one()
            if self.call_seconds > 0:
                old = now - timedelta(seconds=self.call_seconds)
                more |= calls.forget(session, old, limit=_ROWS) == _ROWS
            if self.seconds <= 0:
                return more
            before = now - timedelta(seconds=self.seconds)
            more |= retention.forget_firings(session, before, limit=_ROWS) == _ROWS
            batch = tuple(_within_limits(retention.trees(session, before, self._after, ROOTS)))
            gone = retention.forget(session, batch, before)
            cached_answers.forget_with(session, [each for tree in batch for each in tree.execution_ids])
        if gone:
            _log.info("retention.forgotten", executions=gone)
        if batch:
            # What had to stay is looked at again in the next round, so that it stands in nobody's way.
            self._after = batch[-1].place
        return more or bool(batch)


def _within_limits(found: list[Tree]) -> Iterator[Tree]:
    size = 0
    for tree in found:
        size += tree.size
        if size > EVENTS and size > tree.size:
            return
        yield tree
