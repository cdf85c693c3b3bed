"""One thread of a process that does what has to be done by a certain time, while the others are busy."""

from __future__ import annotations

import heapq
import itertools
import threading
import time
from collections.abc import Callable

from aispine import logs

_log = logs.get(__name__)


class Alarm:
    """Something to be done at a time, unless it is called off before."""

    def __init__(self, work: Callable[[], object]) -> None:
        self._work: Callable[[], object] | None = work

    def call_off(self) -> None:
        """Takes effect unless the work has begun."""
        self._work = None

    def ring(self) -> None:
        work, self._work = self._work, None
        if work is not None:
            work()


class Watchdog:
    """Rings alarms, one after the other; its thread starts with the first. Not to be carried over a fork."""

    def __init__(self) -> None:
        self._alarms: list[tuple[float, int, Alarm]] = []
        self._number = itertools.count()
        self._sooner = threading.Condition()
        self._thread: threading.Thread | None = None

    def after(self, seconds: float, work: Callable[[], object]) -> Alarm:
        """Has something done in so many seconds."""
        alarm = Alarm(work)
        with self._sooner:
            entry = (time.monotonic() + seconds, next(self._number), alarm)
            heapq.heappush(self._alarms, entry)
            if self._thread is None:
                self._thread = threading.Thread(target=self._watch_for_ever, name="watchdog", daemon=True)
                self._thread.start()
            elif self._alarms[0] is entry:
                self._sooner.notify()
        return alarm

    def _watch_for_ever(self) -> None:
        while True:
            alarm = self._next()
            try:
                alarm.ring()
            except Exception:  # noqa: BLE001 - recorded; the next alarm must ring all the same
                _log.exception("watchdog.failed")

    def _next(self) -> Alarm:
        with self._sooner:
            while (left := self._seconds_left()) is None or left > 0:
                self._sooner.wait(left)
            return heapq.heappop(self._alarms)[2]

    def _seconds_left(self) -> float | None:
        return self._alarms[0][0] - time.monotonic() if self._alarms else None
