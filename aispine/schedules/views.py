"""Schedules as people see them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any


@dataclass(frozen=True, kw_only=True, slots=True)
class Firing:
    """A time that was carried out: with its execution, or with the error that kept it from starting."""

    due_at: datetime
    fired_at: datetime
    execution_id: str | None
    error: Mapping[str, Any] | None


@dataclass(frozen=True, kw_only=True, slots=True)
class ScheduleEntry:
    """A schedule as a list shows it; `every` in seconds."""

    schedule_id: str
    flow_id: str
    origin: str
    cron: str | None
    every: float | None
    timezone: str
    paused: bool
    next_due_at: datetime | None
    created_at: datetime
    updated_at: datetime


@dataclass(frozen=True, kw_only=True, slots=True)
class ScheduleView(ScheduleEntry):
    """One schedule with its input, the times that come and those that were carried out last."""

    input: Any
    next_times: tuple[datetime, ...]
    firings: tuple[Firing, ...]
