"""The end of a worker that has run out of patience: what its pool still runs is handed back."""

from __future__ import annotations

import os
import signal
import threading
from collections.abc import Callable
from typing import Any, Final

import psutil
from billiard.process import active_children

from aispine import logs
from aispine.engine import handback, lease
from aispine.errors import AISpineError
from workers import process, workbench

_LAST_WORDS: Final = 4.0
"""Seconds in which what still runs is handed back."""

_log = logs.get(__name__)


def limit(patience: float, queue: str, **_: Any) -> None:
    """Gives what runs `patience` seconds from now on."""
    _later(patience, _end, patience, queue)


def _later(seconds: float, task: Callable[..., object], *arguments: Any) -> None:
    timer = threading.Timer(seconds, task, arguments)
    timer.daemon = True
    timer.start()


def _end(patience: float, queue: str) -> None:
    """Ends the pool, hands back what it ran and ends this process; what cannot be handed back, recovery finds."""
    _later(_LAST_WORDS, os._exit, 1)
    owners = [lease.owner(), *filter(None, map(_end_child, active_children()))]
    try:
        handed_back = handback.hand_back(workbench.worker().dispatch, process.terms(), owners, queue)
        _log.warning("worker.out_of_patience", seconds=patience, handed_back=handed_back)
    except AISpineError as error:
        _log.warning("worker.out_of_patience", seconds=patience, error=error.message)
    os._exit(1)


def _end_child(child: Any) -> str | None:
    """Ends a process of the pool; returns its name in leases, None when it has ended already."""
    try:
        name = lease.owner(child.pid)
        os.kill(child.pid, signal.SIGKILL)
    except (psutil.NoSuchProcess, ProcessLookupError):
        return None
    return name
