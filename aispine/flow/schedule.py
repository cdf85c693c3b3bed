"""When a schedule's times come: pure, every moment in UTC.

A cron expression is read in the schedule's time zone, with Debian cron's rules where clocks are turned: a fixed time
that the clocks skip comes right after the skip, one that they repeat comes once; `*` in the minutes or hours follows
real time. `every` counts real time from an anchor and knows no clocks.
"""

from __future__ import annotations

import functools
import zoneinfo
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Final

from cronsim import CronSim, CronSimError

from aispine.flow.model import Schedule

CRON_SHAPE: Final = r"^\s*(\S+\s+){4}\S+\s*$"
CRON_HINT: Final = "Write minute, hour, day of the month, month and day of the week, such as `0 8 * * MON-FRI`."
_LONGEST_CRON: Final = 200
_SOME_DAY: Final = datetime(2024, 1, 1, tzinfo=UTC)
_WINDOWS: Final = tuple(timedelta(days=days) for days in (1 / 24, 1, 8, 32, 366))


def upcoming(schedule: Schedule, after: datetime, anchor: datetime) -> Iterator[datetime]:
    """The times later than `after`, in order; `anchor` is where `every` counts from."""
    if schedule.every is not None:
        return _regular(timedelta(seconds=schedule.every), after, anchor)
    return _calendar(str(schedule.cron), schedule.timezone, after)


def next_time(schedule: Schedule, after: datetime, anchor: datetime) -> datetime | None:
    """The first time later than `after`; None when there is none any more."""
    return next(upcoming(schedule, after, anchor), None)


def latest_time(schedule: Schedule, due: datetime, now: datetime, anchor: datetime) -> datetime:
    """The last time up to `now`, where `due` is one of them: what came between is missed."""
    if schedule.every is not None:
        step = timedelta(seconds=schedule.every)
        return max(due, anchor + (now - anchor) // step * step)
    # From the near past outwards, so that a month without a clock costs a few steps and not one for each minute.
    for window in _WINDOWS:
        if missed := _between(schedule, max(due, now - window), now):
            return missed[-1]
    return max(_between(schedule, due, now), default=due)


def cron_problem(text: str) -> str | None:
    """What is wrong with a cron expression, None when nothing is."""
    if len(text) > _LONGEST_CRON:
        return f"is longer than {_LONGEST_CRON} characters"
    if len(text.split()) != 5:
        return f"`{text}` has {len(text.split())} fields; a cron expression has five"
    try:
        comes = next(CronSim(text, _SOME_DAY), None)
    except CronSimError as error:
        return f"`{text}` is not a cron expression: {str(error).lower()}"
    return None if comes else f"`{text}` names a day that never comes"


@functools.cache
def timezones() -> frozenset[str]:
    """The names of the time zones that there are."""
    return frozenset(zoneinfo.available_timezones())


def _between(schedule: Schedule, after: datetime, until: datetime) -> list[datetime]:
    found = []
    for time in upcoming(schedule, after, after):
        if time > until:
            break
        found.append(time)
    return found


def _regular(step: timedelta, after: datetime, anchor: datetime) -> Iterator[datetime]:
    time = anchor + max((after - anchor) // step + 1, 1) * step
    while True:
        yield time
        time += step


def _calendar(cron: str, timezone: str, after: datetime) -> Iterator[datetime]:
    times = CronSim(cron, after.astimezone(zoneinfo.ZoneInfo(timezone)))
    # Begun inside a repeated hour, it names that hour's first pass, which is over.
    return (time for local in times if (time := local.astimezone(UTC)) > after)
