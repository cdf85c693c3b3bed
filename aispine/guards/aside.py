"""Runs what cannot be interrupted on a thread of its own, which is given up when its time is over."""

from __future__ import annotations

import ctypes
import threading
from collections.abc import Callable
from contextvars import copy_context
from typing import TypeVar
from weakref import WeakSet

Result = TypeVar("Result")


class Overdue(BaseException):
    """Raised inside foreign code whose time is over; no `except Exception` of it swallows it."""


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

    thread = threading.Thread(target=copy_context().run, args=(work,), name="aside", daemon=True)
    thread.start()
    thread.join(seconds)
    if results:
        return results[0]
    if errors:
        raise errors[0]
    _give_up(thread)
    raise Overdue


def stuck_threads() -> int:
    """How many threads were given up and still run."""
    return sum(thread.is_alive() for thread in list(_given_up))


_given_up: WeakSet[threading.Thread] = WeakSet()


def _give_up(thread: threading.Thread) -> None:
    """Asks the thread to end at its next line of Python; one that waits inside C goes on until that returns."""
    _given_up.add(thread)
    ctypes.pythonapi.PyThreadState_SetAsyncExc(ctypes.c_ulong(thread.ident or 0), ctypes.py_object(Overdue))
