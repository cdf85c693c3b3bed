"""What one worker process works with: made at first use after the fork, once."""

from __future__ import annotations

import functools
import os
from typing import Any

from celery import signals
from kombu.transport.redis import Transport

from aispine import logs, settings
from aispine.engine import broker, lease
from aispine.engine.dispatch import Dispatch
from aispine.engine.lease import Leases
from aispine.engine.queues import Queues
from aispine.engine.recover import Tick
from aispine.engine.run import AgentCache, Worker
from aispine.engine.terms import Terms
from aispine.events.waker import Waker
from aispine.store import database
from aispine.store.database import Store

_POOL = 4
"""Connections of a process; hundreds of threads share them, since a node needs one only at its two ends."""


def connect() -> None:
    """Hooks the process into Celery's start."""
    signals.setup_logging.connect(_configure_logging)
    # Redis restarting while a message is unacknowledged raises this one inside kombu and would end the worker.
    if AttributeError not in Transport.connection_errors:
        Transport.connection_errors = (*Transport.connection_errors, AttributeError)


def worker() -> Worker:
    """What the tasks of this process work with."""
    return _worker(os.getpid())


def tick() -> Tick:
    """What beat works with."""
    current = settings.current()
    terms = _terms()
    store = database.engine_store(2)
    return Tick(
        store=store,
        celery=broker.app(),
        terms=terms,
        dispatch=_dispatch(store),
        queues=Queues(current.broker_url or str(current.redis_url)),
    )


@functools.lru_cache(maxsize=1)
def _worker(_pid: int) -> Worker:
    current = settings.current()
    store = database.engine_store(_POOL)
    terms = _terms()
    return Worker(
        store=store,
        settings=current,
        terms=terms,
        leases=Leases(store, terms.owner, lease=current.lease, heartbeat=current.heartbeat),
        dispatch=_dispatch(store),
        agents=AgentCache(),
    )


def _dispatch(store: Store) -> Dispatch:
    return Dispatch(store=store, celery=broker.app(), wakeups=Waker(str(settings.current().redis_url)))


def _terms() -> Terms:
    current = settings.current()
    return Terms(owner=lease.owner(), lease=current.lease, max_lost_attempts=current.max_lost_attempts)


def _configure_logging(**_: Any) -> None:
    logs.configure(settings.current())
