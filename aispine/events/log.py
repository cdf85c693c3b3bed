"""The log of an execution: its events as values, read in order and followed live."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from sqlalchemy.orm import Session

from aispine.events.types import TERMINAL
from aispine.events.wakeups import Subscription
from aispine.store import events
from aispine.store.models import EventRow

PAGE: Final = 500
KEEP_ALIVE: Final = 15.0
"""Seconds of silence after which a follower says that it is still there."""


@dataclass(frozen=True, kw_only=True, slots=True)
class LoggedEvent:
    """One event; `seq` counts from 1 inside the execution without a gap."""

    seq: int
    type: str
    path: str | None
    data: Mapping[str, Any]
    created_at: datetime

    @property
    def terminal(self) -> bool:
        return self.type in TERMINAL


def read(session: Session, execution_id: str, after: int = 0, *, limit: int = PAGE) -> tuple[LoggedEvent, ...]:
    """The events that follow number `after`."""
    return tuple(map(_logged, events.after(session, execution_id, after, limit=limit)))


def _logged(row: EventRow) -> LoggedEvent:
    return LoggedEvent(seq=row.seq, type=row.type, path=row.path, data=row.data or {}, created_at=row.created_at)


def follow(
    read_after: Callable[[int], Sequence[LoggedEvent]],
    subscription: Subscription,
    after: int,
    *,
    keep_alive: float = KEEP_ALIVE,
    going_on: Callable[[], bool] = lambda: True,
) -> Iterator[LoggedEvent | None]:
    """Yields the events after number `after` as they come, None after `keep_alive` seconds of silence.

    Ends after the terminal event, or when `going_on` says so.
    """
    spoken = time.monotonic()
    while going_on():
        # Cleared before the read: what commits after it wakes the next round.
        subscription.clear()
        batch = read_after(after)
        yield from batch
        if batch:
            after = batch[-1].seq
            if batch[-1].terminal:
                return
        if batch:
            spoken = time.monotonic()
        elif time.monotonic() - spoken >= keep_alive:
            yield None
            spoken = time.monotonic()
        else:
            subscription.wait(going_on, at_most=spoken + keep_alive - time.monotonic())
