"""One tenant's schedules, made due as a test wants it."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta

from sqlalchemy import delete, func, select, update

from aispine import schedules
from aispine.schedules.firing import Fired
from aispine.store.database import Store
from aispine.store.models import ExecutionRow, ScheduleFiringRow, ScheduleRow


class Timetable:
    def __init__(self, store: Store, tenant_id: str) -> None:
        self.store = store
        self.tenant_id = tenant_id

    def rows(self) -> Sequence[ScheduleRow]:
        with self.store.session(None) as session:
            return session.scalars(select(ScheduleRow).filter_by(tenant_id=self.tenant_id)).all()

    def only(self) -> ScheduleRow:
        (row,) = self.rows()
        return row

    def make_due(self, *, ago: timedelta = timedelta(0)) -> datetime:
        """Sets the only schedule's time, and the anchor with it, to `ago` before now; returns the time."""
        due_at = datetime.now(UTC) - ago
        with self.store.session(None) as session:
            mine = update(ScheduleRow).where(ScheduleRow.tenant_id == self.tenant_id)
            session.execute(mine.values(next_due_at=due_at, anchor_at=due_at))
        return due_at

    def fire(self) -> list[Fired]:
        """Fires all that is due, however long it takes; a beat stops after a slice of time."""
        return schedules.fire_due(self.store, seconds=30)

    def executions(self) -> Sequence[ExecutionRow]:
        with self.store.session(None) as session:
            mine = select(ExecutionRow).filter_by(tenant_id=self.tenant_id).order_by(ExecutionRow.execution_id)
            return session.scalars(mine).all()

    def firings(self) -> Sequence[ScheduleFiringRow]:
        with self.store.session(None) as session:
            mine = select(ScheduleFiringRow).filter_by(tenant_id=self.tenant_id).order_by(ScheduleFiringRow.due_at)
            return session.scalars(mine).all()

    def now(self) -> datetime:
        with self.store.session(None) as session:
            told: datetime = session.scalars(select(func.clock_timestamp())).one()
            return told

    def clear(self) -> None:
        with self.store.session(None) as session:
            session.execute(delete(ScheduleRow).where(ScheduleRow.tenant_id == self.tenant_id))
