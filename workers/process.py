"""What every process here has in common: its logging, its memory, its names in the store, its wake-ups."""

from __future__ import annotations

import atexit
import functools
import gc
import os
import sys
from typing import Any

from celery import signals
from kombu.transport.redis import Transport

from aispine import logs, memory, settings
from aispine.audit import Journal
from aispine.engine import lease
from aispine.engine.meter import Meter
from aispine.engine.terms import Terms
from aispine.events.waker import Waker
from aispine.guards.shared import Shared
from aispine.store.database import Store


def connect() -> None:
    """Hooks the process into Celery's start."""
    signals.setup_logging.connect(_configure_logging)
    # Redis restarting while a message is unacknowledged raises this one inside kombu and would end the worker.
    if AttributeError not in Transport.connection_errors:
        Transport.connection_errors = (*Transport.connection_errors, AttributeError)
    os.register_at_fork(before=_share_memory)


def waker() -> Waker:
    """The wake-ups of this process, made after the fork."""
    return _waker(os.getpid())


def terms() -> Terms:
    """The terms under which this process holds nodes."""
    current = settings.current()
    return Terms(owner=lease.owner(), lease=current.lease, max_lost_attempts=current.max_lost_attempts)


@functools.lru_cache(maxsize=1)
def _waker(_pid: int) -> Waker:
    return Waker(str(settings.current().redis_url))


def meter(store: Store) -> Meter:
    """The meter of this process; what it has counted last is stored when the process ends in order."""
    made = Meter(store, every=settings.current().heartbeat)
    atexit.register(made.flush)
    # A child of a pool ends without what is registered to be done at the exit.
    signals.worker_process_shutdown.connect(lambda **_: made.flush(), weak=False)
    return made


def journal(store: Store, counts: Meter) -> Journal:
    """The audit of this process's calls; what it has noted last is written when the process ends in order."""
    made = Journal(store, missed=lambda count: counts.add("calls_not_audited_total", count))
    atexit.register(made.flush)
    signals.worker_process_shutdown.connect(lambda **_: made.flush(), weak=False)
    return made


def shared(counts: Meter) -> Shared:
    """What the guards of this process share with others over Redis; going without it is counted."""
    return Shared(settings.current().redis_url, missed=lambda: counts.add("guards_missed_total", 1))


def _share_memory() -> None:
    """Keeps the collector of a forked child off the pages that it shares with its parent."""
    # Where cffi is loaded, billiard has it parse a line of C in every child, 6 MB each; else it asks ctypes.
    sys.modules.pop("cffi", None)
    memory.give_back()
    gc.freeze()


def _configure_logging(**_: Any) -> None:
    logs.configure(settings.current())
