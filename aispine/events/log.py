"""The log of an execution: its events as values, read in order."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from sqlalchemy.orm import Session

from aispine.events.types import TERMINAL
from aispine.store import events
from aispine.store.models import EventRow

PAGE: Final = 500


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
