"""Ends a call into foreign code in time: by a signal on the main thread, by giving the thread up elsewhere."""

from __future__ import annotations

import signal
import threading
from collections.abc import Callable
from types import FrameType
from typing import Final, TypeVar

from aispine.agent import fuse
from aispine.guards.aside import Overdue, run_aside

Result = TypeVar("Result")

GRACE: Final = 5.0
"""Seconds between the signal and the death of a process whose agent does not react to it."""


def run(function: Callable[[], Result], seconds: float) -> Result:
    """Returns what `function` returns. Raises `Overdue` when that takes longer than `seconds`.

    On the main thread a signal interrupts the function; one that goes on for `GRACE` seconds more ends the process,
    even where C code holds the interpreter. On another thread the function is given up and may go on unseen.
    """
    if threading.current_thread() is threading.main_thread():
        return _on_main_thread(function, max(seconds, 0.001))
    return run_aside(function, seconds)


def _on_main_thread(function: Callable[[], Result], seconds: float) -> Result:
    previous = signal.signal(signal.SIGALRM, _interrupt)
    fuse.light(seconds + GRACE)
    try:
        # The signal comes again every second, for agents that catch everything once.
        signal.setitimer(signal.ITIMER_REAL, seconds, 1.0)
        try:
            return function()
        finally:
            _disarm()
    finally:
        # Once more: the signal may have come on the way into the inner one.
        _disarm()
        signal.signal(signal.SIGALRM, previous or signal.SIG_DFL)


def _interrupt(_signal: int, _frame: FrameType | None) -> None:
    raise Overdue


def _disarm() -> None:
    signal.setitimer(signal.ITIMER_REAL, 0)
    fuse.put_out()
