"""The baseline's Celery app: tasks that do nothing, set up for speed and not for safety."""

from __future__ import annotations

import functools
import os
from typing import Any, Final

import redis
from celery import Celery

REDIS_URL: Final = "BENCH_REDIS_URL"
QUEUE: Final = "bare"

app = Celery("bare")
app.conf.update(
    task_default_queue=QUEUE,
    task_ignore_result=True,
    task_acks_late=False,
    worker_prefetch_multiplier=64,
    worker_send_task_events=False,
    broker_connection_retry_on_startup=True,
)


def use(redis_url: str) -> None:
    """Says where the broker is, which counts the parts of chords too."""
    app.conf.update(broker_url=redis_url, result_backend=redis_url)


def nothing() -> None:
    """Does nothing."""


def push(key: str) -> None:
    """Does nothing else than to say that the canvas is done."""
    _redis(os.getpid()).lpush(key, 1)


@functools.lru_cache(maxsize=1)
def _redis(_pid: int) -> Any:
    return redis.Redis.from_url(app.conf.broker_url)


NOTHING: Final = app.task(name="bare.nothing")(nothing)
PUSH: Final = app.task(name="bare.push")(push)

if REDIS_URL in os.environ:
    use(os.environ[REDIS_URL])
