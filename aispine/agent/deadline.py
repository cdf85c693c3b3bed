"""Ends a call into foreign code in time: by a signal on the main thread, by giving the thread up elsewhere."""

from __future__ import annotations

import ctypes
import signal
import threading
from collections.abc import Callable
from contextvars import copy_context
from types import FrameType
from typing import Final, TypeVar
from weakref import WeakSet

from aispine.agent import fuse

Result = TypeVar("Result")

GRACE: Final = 5.0
"""Seconds between the signal and the death of a process whose agent does not react to it."""


class Overdue(BaseException):
    """Raised inside an agent whose time is over; no `except Exception` of the agent swallows it."""


def run(function: Callable[[], Result], seconds: float) -> Result:
    """Returns what `function` returns. Raises `Overdue` when that takes longer than `seconds`.

    On the main thread a signal interrupts the function; one that goes on for `GRACE` seconds more ends the process,
    even where C code holds the interpreter. On another thread the function is given up and may go on unseen.
    """
    if threading.current_thread() is threading.main_thread():
        return _on_main_thread(function, max(seconds, 0.001))
    return run_aside(function, seconds)


def stuck_threads() -> int:
    """How many threads were given up and still run."""
    return sum(thread.is_alive() for thread in list(_given_up))


_given_up: WeakSet[threading.Thread] = WeakSet()


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


def run_aside(function: Callable[[], Result], seconds: float) -> Result:
    """Runs `function` on a thread of its own, which is given up after `seconds`. Raises `Overdue` then."""
    results: list[Result] = []
    errors: list[BaseException] = []

    def work() -> None:
        try:
            results.append(function())
        except Overdue:
            return
        except BaseException as error:  # noqa: BLE001 - raised again by the caller's thread
            errors.append(error)

    thread = threading.Thread(target=copy_context().run, args=(work,), name="agent", daemon=True)
    thread.start()
    thread.join(seconds)
    if results:
        return results[0]
    if errors:
        raise errors[0]
    _give_up(thread)
    raise Overdue


def _give_up(thread: threading.Thread) -> None:
    """Asks the thread to end at its next line of Python; one that waits inside C goes on until that returns."""
    _given_up.add(thread)
    ctypes.pythonapi.PyThreadState_SetAsyncExc(ctypes.c_ulong(thread.ident or 0), ctypes.py_object(Overdue))
