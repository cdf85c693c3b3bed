"""The table of events, as it is read; the engine writes it in the statement that changes the execution."""

from __future__ import annotations

from collections.abc import Sequence

from sqlalchemy import select
from sqlalchemy.orm import Session

from aispine.store.models import EventRow


def after(session: Session, execution_id: str, seq: int, *, limit: int) -> Sequence[EventRow]:
    """The execution's events that follow number `seq`, in order."""
    later = select(EventRow).where(EventRow.execution_id == execution_id, EventRow.seq > seq)
    return session.scalars(later.order_by(EventRow.seq).limit(limit)).all()
