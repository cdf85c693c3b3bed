"""A worker, or beat, started directly: the `celery` command would load Flower and a shell into every process."""

from __future__ import annotations

import contextlib
import functools
from logging import getLevelNamesMapping
from socket import gethostname
from typing import Final

from celery import signals
from celery.utils.nodenames import nodename

from aispine import memory, settings
from aispine.engine import broker, transport
from aispine.errors import BrokerUnavailable
from aispine.settings import Settings
from aispine.stack import open_files
from aispine.stack.worker import BEAT_SCHEDULE, POOLS
from workers import process

PATIENCE: Final = 30.0
"""Seconds that running nodes are given after the first signal; `aispine up` kills a worker a little later."""


def work(name: str, concurrency: int, patience: float = PATIENCE) -> int:
    """Runs the worker of one pool until a signal ends it; returns the exit code.

    The signal stops it from taking messages. It ends as soon as nothing runs, and after `patience`
    seconds whatever runs.
    """
    # Here, since beat needs no task and nothing that a task needs.
    from workers import attendance, stopping, workbench
    from workers.app import app

    current = settings.current()
    _check_broker(current)
    open_files.allow()
    signals.worker_shutting_down.connect(functools.partial(stopping.limit, patience, POOLS[name].queue), weak=False)
    worker = app.Worker(
        hostname=nodename(name, gethostname()),
        queues=[POOLS[name].queue],
        pool_cls=POOLS[name].kind,
        concurrency=concurrency,
        loglevel=_level(current.log_level),
        without_gossip=True,
        without_mingle=True,
        without_heartbeat=not app.conf.worker_send_task_events,
        task_events=app.conf.worker_send_task_events,
        quiet=True,
    )
    attendance.attend(name)
    workbench.prepare()
    memory.give_back()
    worker.start()
    return int(worker.exitcode or 0)


def beat() -> int:
    """Runs beat until a signal ends it; returns the exit code."""
    process.connect()
    current = settings.current()
    broker.app().Beat(
        scheduler="workers.beat:TickScheduler",
        schedule=str(current.home / BEAT_SCHEDULE),
        loglevel=_level(current.log_level),
        quiet=True,
    ).run()
    return 0


def _check_broker(current: Settings) -> None:
    """Raises `InvalidRequest` for a broker that refuses us; one that does not answer is waited for by Celery."""
    if current.broker_url is not None:
        with contextlib.suppress(BrokerUnavailable):
            transport.check(transport.of(current.broker_url))


def _level(name: str) -> int:
    return getLevelNamesMapping()[name.upper()]
