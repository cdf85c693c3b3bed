"""Starting what is due: once for each time, with any number of beats, whichever of them dies.

A schedule's row is locked, the firing and its execution are inserted and the next time is set in one transaction;
only then the execution is announced. A beat that dies before the commit has done nothing, and one that dies after it
leaves a start that the tick announces.
"""

from __future__ import annotations

import time
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

from sqlalchemy.exc import InterfaceError, OperationalError
from sqlalchemy.orm import Session

from aispine import logs
from aispine.engine.start import StartRequest, announce, start
from aispine.errors import AISpineError
from aispine.flow.schedule import latest_time, next_time
from aispine.store import schedules
from aispine.store.database import Store
from aispine.store.models import ScheduleRow

_log = logs.get(__name__)
SLICE: Final = 0.5
"""Seconds for which schedules are fired before timers and recovery have their turn again."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Fired:
    """A time that was carried out; without an execution when the flow could not be started."""

    schedule_id: str
    flow_id: str
    execution_id: str | None = None
    error: Mapping[str, Any] | None = None


def fire_due(store: Store, seconds: float = SLICE) -> list[Fired]:
    """Starts an execution for each schedule that is due, one at a time until `seconds` are over; returns what it did.

    Needs the engine's login. Raises `StoreUnavailable`.
    """
    done: list[Fired] = []
    end = time.monotonic() + seconds
    while time.monotonic() < end and (fired := _fire_one(store)) is not None:
        done.append(fired)
        if fired.execution_id is not None:
            announce(fired.execution_id, fired.flow_id)
        elif fired.error is not None:
            _log.warning("schedule.not_started", schedule=fired.schedule_id, flow=fired.flow_id, **fired.error)
    return done


def _fire_one(store: Store) -> Fired | None:
    with store.session(None) as session:
        row = schedules.lock_due(session)
        return None if row is None else _fire_or_pause(session, row)


def _fire_or_pause(session: Session, row: ScheduleRow) -> Fired:
    """A schedule whose times cannot be worked out, as when its time zone is gone, keeps no other from its own."""
    try:
        with session.begin_nested():
            return _fire(session, row)
    except (OperationalError, InterfaceError):
        raise
    except Exception as error:  # noqa: BLE001 - recorded, in the log and with the schedule
        _log.exception("schedule.failed", schedule=row.schedule_id)
        problem = _unexpected(error)
        schedules.record(session, row, row.next_due_at or schedules.now(session), execution_id=None, error=problem)
        schedules.pause(session, row)
        return Fired(schedule_id=row.schedule_id, flow_id=row.flow_id, error=problem)


def _fire(session: Session, row: ScheduleRow) -> Fired:
    """Carries out the latest time that has come; earlier ones that were missed are not made up for."""
    if row.next_due_at is None:
        raise AssertionError("a due schedule has a time")
    wanted, now = schedules.spec(row), schedules.now(session)
    due_at = latest_time(wanted, row.next_due_at, now, row.anchor_at)
    row.next_due_at = next_time(wanted, now, row.anchor_at)
    fired = Fired(schedule_id=row.schedule_id, flow_id=row.flow_id)
    if schedules.is_fired(session, row, due_at):
        return fired
    execution_id, error = _start(session, row)
    schedules.record(session, row, due_at, execution_id=execution_id, error=error)
    return Fired(schedule_id=row.schedule_id, flow_id=row.flow_id, execution_id=execution_id, error=error)


def _start(session: Session, row: ScheduleRow) -> tuple[str | None, Mapping[str, Any] | None]:
    """The execution, or the error that a flow which cannot be started leaves; the next time is tried all the same."""
    request = StartRequest(flow_id=row.flow_id, input=row.input)
    try:
        with session.begin_nested():
            return start(session, row.tenant_id, request, schedule_id=row.schedule_id).execution_id, None
    except (OperationalError, InterfaceError):
        raise
    except AISpineError as error:
        return None, {"code": error.code, "message": error.message}
    except Exception as error:  # noqa: BLE001 - recorded; one flow must not keep the other schedules from their times
        _log.exception("schedule.failed", schedule=row.schedule_id)
        return None, _unexpected(error)


def _unexpected(error: Exception) -> Mapping[str, Any]:
    return {"code": AISpineError.code, "message": f"{type(error).__name__}: {error}"[:500]}
