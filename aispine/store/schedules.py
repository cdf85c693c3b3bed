"""The tables of schedules and of the times that were carried out."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any, Final

from sqlalchemy import delete, func, select
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from aispine.flow.model import Schedule
from aispine.flow.schedule import next_time
from aispine.store.ids import new_id
from aispine.store.models import ScheduleFiringRow, ScheduleRow

OF_FILE: Final = "flow"
OF_API: Final = "api"


def now(session: Session) -> datetime:
    """The database's time, by which every schedule goes."""
    told: datetime = session.scalars(select(func.clock_timestamp())).one()
    return told


def spec(row: ScheduleRow) -> Schedule:
    """What the row says as a value."""
    return Schedule(cron=row.cron, every=row.every, timezone=row.timezone, input=row.input)


def add(session: Session, tenant_id: str, flow_id: str, wanted: Schedule, *, origin: str) -> ScheduleRow:
    """Adds a schedule that begins to count now."""
    row = ScheduleRow(schedule_id=new_id(), tenant_id=tenant_id, flow_id=flow_id, origin=origin)
    _write(row, wanted, now(session))
    session.add(row)
    session.flush()
    return row


def change(session: Session, row: ScheduleRow, wanted: Schedule) -> None:
    """Sets what a locked row says; it counts anew only when its times are others."""
    if spec(row) == wanted:
        return
    at = now(session)
    same_times = (row.cron, row.every, row.timezone) == (wanted.cron, wanted.every, wanted.timezone)
    row.updated_at = at
    if same_times:
        row.input = dict(wanted.input)
    else:
        _write(row, wanted, at)


def _write(row: ScheduleRow, wanted: Schedule, at: datetime) -> None:
    row.cron, row.every, row.timezone, row.input = wanted.cron, wanted.every, wanted.timezone, dict(wanted.input)
    row.anchor_at = at
    row.next_due_at = None if row.paused_at else next_time(wanted, at, at)


def pause(session: Session, row: ScheduleRow) -> None:
    """Takes a locked schedule's times away."""
    row.paused_at = row.paused_at or now(session)
    row.next_due_at = None


def resume(session: Session, row: ScheduleRow) -> None:
    """Gives a locked schedule its times back; those that passed meanwhile are over."""
    if row.paused_at is not None:
        row.paused_at = None
        row.next_due_at = next_time(spec(row), now(session), row.anchor_at)


def find(session: Session, tenant_id: str, schedule_id: str) -> ScheduleRow | None:
    return session.scalar(select(ScheduleRow).filter_by(tenant_id=tenant_id, schedule_id=schedule_id))


def lock(session: Session, tenant_id: str, schedule_id: str) -> ScheduleRow | None:
    """The schedule, held until the transaction ends, so that it is not fired meanwhile."""
    return session.scalar(select(ScheduleRow).filter_by(tenant_id=tenant_id, schedule_id=schedule_id).with_for_update())


def lock_of_file(session: Session, tenant_id: str, flow_id: str) -> ScheduleRow | None:
    """As `lock`, the one that the flow's file says."""
    same = {"tenant_id": tenant_id, "flow_id": flow_id, "origin": OF_FILE}
    return session.scalar(select(ScheduleRow).filter_by(**same).with_for_update())


def lock_due(session: Session) -> ScheduleRow | None:
    """A schedule that is due and that nobody else holds, the one that has been due longest."""
    due = select(ScheduleRow).where(ScheduleRow.next_due_at <= func.clock_timestamp())
    return session.scalar(due.order_by(ScheduleRow.next_due_at).limit(1).with_for_update(skip_locked=True))


def page(
    session: Session, tenant_id: str, *, flow_id: str | None, after: str | None, limit: int
) -> Sequence[ScheduleRow]:
    """Schedules in the order in which they were made, from the one after `after` on."""
    statement = select(ScheduleRow).where(ScheduleRow.tenant_id == tenant_id)
    if flow_id is not None:
        statement = statement.where(ScheduleRow.flow_id == flow_id)
    if after is not None:
        statement = statement.where(ScheduleRow.schedule_id > after)
    return session.scalars(statement.order_by(ScheduleRow.schedule_id).limit(limit)).all()


def remove(session: Session, row: ScheduleRow) -> None:
    """Deletes a schedule; what it started stays."""
    session.delete(row)
    session.flush()


def remove_of_flow(session: Session, tenant_id: str, flow_id: str) -> None:
    """Deletes every schedule of a flow."""
    session.execute(delete(ScheduleRow).filter_by(tenant_id=tenant_id, flow_id=flow_id))


def record(
    session: Session, row: ScheduleRow, due_at: datetime, *, execution_id: str | None, error: Mapping[str, Any] | None
) -> bool:
    """Records that a time was carried out; False when it was before."""
    statement = insert(ScheduleFiringRow).values(
        schedule_id=row.schedule_id, due_at=due_at, tenant_id=row.tenant_id, execution_id=execution_id, error=error
    )
    fired = statement.on_conflict_do_nothing().returning(ScheduleFiringRow.due_at)
    return session.scalar(fired) is not None


def is_fired(session: Session, row: ScheduleRow, due_at: datetime) -> bool:
    """True when this time was carried out."""
    return session.get(ScheduleFiringRow, (row.schedule_id, due_at)) is not None


def firings(session: Session, schedule_id: str, limit: int) -> Sequence[ScheduleFiringRow]:
    """The times that were carried out last, the latest first."""
    of_it = select(ScheduleFiringRow).filter_by(schedule_id=schedule_id)
    return session.scalars(of_it.order_by(ScheduleFiringRow.due_at.desc()).limit(limit)).all()
