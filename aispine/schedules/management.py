"""What people do to schedules. Everything raises `NotFound` for a schedule that is not the tenant's."""

from __future__ import annotations

from dataclasses import fields
from datetime import datetime
from itertools import islice
from typing import Any, Final

from sqlalchemy.orm import Session

from aispine import catalog
from aispine.engine.start import check
from aispine.errors import NotFound
from aispine.flow.model import Schedule
from aispine.flow.schedule import upcoming
from aispine.schedules.views import Firing, ScheduleEntry, ScheduleView
from aispine.store import flows, schedules
from aispine.store.ids import is_id
from aispine.store.models import ScheduleFiringRow, ScheduleRow

NEXT_TIMES: Final = 5
_SHOWN_FIRINGS: Final = 5
_ENTRY: Final = tuple(field.name for field in fields(ScheduleEntry) if field.name != "paused")


def create(session: Session, tenant_id: str, flow_id: str, wanted: Schedule) -> ScheduleView:
    """Adds a schedule to a flow, beside what its file says. Raises `NotFound`, `InvalidInput`, `TooLarge`."""
    found = catalog.version(session, tenant_id, flow_id)
    check(found.flow, dict(wanted.input))
    # Held against a delete that would leave the schedule without its flow.
    if flows.lock(session, tenant_id, found.flow_id) is None:
        raise NotFound(f"There is no flow `{flow_id}`", field="flow_id")
    return _view(session, schedules.add(session, tenant_id, found.flow_id, wanted, origin=schedules.OF_API))


def list_schedules(
    session: Session, tenant_id: str, *, flow_id: str | None = None, after: str | None = None, limit: int = 50
) -> list[ScheduleEntry]:
    """Schedules in the order in which they were made, from the one after `after` on."""
    if flow_id is not None:
        flow = flows.find(session, tenant_id, flow_id)
        flow_id = flow.flow_id if flow else flow_id
    return [_entry(row) for row in schedules.page(session, tenant_id, flow_id=flow_id, after=after, limit=limit)]


def show(session: Session, tenant_id: str, schedule_id: str) -> ScheduleView:
    """The schedule with the times that come."""
    row = schedules.find(session, tenant_id, schedule_id) if is_id(schedule_id) else None
    if row is None:
        raise _missing(schedule_id)
    return _view(session, row)


def pause(session: Session, tenant_id: str, schedule_id: str) -> ScheduleView:
    """Lets no time of it come until it is resumed; again is no error."""
    row = _locked(session, tenant_id, schedule_id)
    schedules.pause(session, row)
    return _view(session, row)


def resume(session: Session, tenant_id: str, schedule_id: str) -> ScheduleView:
    """Lets its times come again, from now on; again is no error."""
    row = _locked(session, tenant_id, schedule_id)
    schedules.resume(session, row)
    return _view(session, row)


def delete(session: Session, tenant_id: str, schedule_id: str) -> None:
    """Deletes the schedule; its executions stay. One of a flow's file is there again when that is deployed."""
    schedules.remove(session, _locked(session, tenant_id, schedule_id))


def _locked(session: Session, tenant_id: str, schedule_id: str) -> ScheduleRow:
    row = schedules.lock(session, tenant_id, schedule_id) if is_id(schedule_id) else None
    if row is None:
        raise _missing(schedule_id)
    return row


def _missing(schedule_id: str) -> NotFound:
    return NotFound(f"there is no schedule `{schedule_id[:64]}`", field="schedule_id")


def _values(row: ScheduleRow) -> dict[str, Any]:
    return {name: getattr(row, name) for name in _ENTRY} | {"paused": row.paused_at is not None}


def _entry(row: ScheduleRow) -> ScheduleEntry:
    return ScheduleEntry(**_values(row))


def _view(session: Session, row: ScheduleRow) -> ScheduleView:
    session.flush()
    session.refresh(row)
    shown = schedules.firings(session, row.schedule_id, _SHOWN_FIRINGS)
    return ScheduleView(
        **_values(row),
        input=row.input,
        next_times=() if row.paused_at else _next_times(session, row),
        firings=tuple(map(_firing, shown)),
    )


def _next_times(session: Session, row: ScheduleRow) -> tuple[datetime, ...]:
    return tuple(islice(upcoming(schedules.spec(row), schedules.now(session), row.anchor_at), NEXT_TIMES))


def _firing(row: ScheduleFiringRow) -> Firing:
    return Firing(due_at=row.due_at, fired_at=row.fired_at, execution_id=row.execution_id, error=row.error)
