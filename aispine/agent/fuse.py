"""Kills the own process at a time that nothing in it can put off, not even C code that holds the interpreter.

Python's handlers and threads wait for the interpreter. A POSIX timer whose signal is SIGKILL waits for nobody, and
setting it costs a microsecond, where `faulthandler` starts a thread each time; that one is used where there is none.
"""

from __future__ import annotations

import ctypes
import faulthandler
import functools
import os
import signal
import sys
from typing import Final

CLOCK_MONOTONIC: Final = 1
SIGEV_SIGNAL: Final = 0


class _Event(ctypes.Structure):
    """`struct sigevent` of Linux: 64 bytes of which three fields are used here."""

    _fields_ = (
        ("value", ctypes.c_void_p),
        ("signo", ctypes.c_int),
        ("notify", ctypes.c_int),
        ("rest", ctypes.c_byte * (64 - ctypes.sizeof(ctypes.c_void_p) - 8)),
    )


class _Setting(ctypes.Structure):
    """`struct itimerspec`: the interval, and the time until the signal."""

    _fields_ = (
        ("interval_seconds", ctypes.c_long),
        ("interval_nanoseconds", ctypes.c_long),
        ("seconds", ctypes.c_long),
        ("nanoseconds", ctypes.c_long),
    )


def light(seconds: float) -> None:
    """The process dies after `seconds` unless `put_out` is called before."""
    if not _set(seconds):
        faulthandler.dump_traceback_later(seconds, exit=True, file=2)


def put_out() -> None:
    """The process lives on."""
    if not _set(0.0):
        faulthandler.cancel_dump_traceback_later()


def _set(seconds: float) -> bool:
    timer = _timer(os.getpid())
    if timer is None:
        return False
    setting = _Setting(seconds=int(seconds), nanoseconds=int(seconds % 1 * 1e9))
    return bool(_libc().timer_settime(timer, 0, ctypes.byref(setting), None) == 0)


@functools.lru_cache(maxsize=1)
def _timer(_pid: int) -> ctypes.c_void_p | None:
    """The process's timer; a forked child has none of its parent's."""
    if not sys.platform.startswith("linux") or not hasattr(_libc(), "timer_create"):
        return None
    timer = ctypes.c_void_p()
    event = _Event(signo=signal.SIGKILL, notify=SIGEV_SIGNAL)
    made = _libc().timer_create(CLOCK_MONOTONIC, ctypes.byref(event), ctypes.byref(timer))
    return timer if made == 0 else None


@functools.cache
def _libc() -> ctypes.CDLL:
    return ctypes.CDLL(None)
