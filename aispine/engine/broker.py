"""The Celery app: made once per process, by workers with their tasks and by everybody else to send by name."""

from __future__ import annotations

import functools
from typing import Any, Final

from celery import Celery
from kombu.entity import Queue

from aispine import settings
from aispine.errors import InvalidRequest
from aispine.settings import Settings

RUN: Final = "aispine.run"
RUN_LANE: Final = "aispine.run_lane"
ADVANCE: Final = "aispine.advance"
READ: Final = "aispine.read"
SEND: Final = "aispine.send"
QUEUES: Final = ("engine", "cpu", "io")
AHEAD: Final = 0
NORMAL: Final = 3
"""Priorities of messages as Redis has them: what recovery sends goes before what waits. Other brokers know one line."""


@functools.cache
def app() -> Celery:
    """The Celery app of this process, set up from its settings."""
    return make_app(settings.current())


def make_app(current: Settings) -> Celery:
    """A Celery app that reads no result and sends small JSON messages.

    Redis holds counters of chords and nothing else: every status comes from the store.
    """
    if current.redis_url is None:
        raise InvalidRequest(
            "AISPINE_REDIS_URL is not set and no local stack runs",
            field="redis_url",
            hint="Start one with `aispine up`, or set the variable.",
        )
    celery = Celery("aispine", broker=current.broker_url or current.redis_url, backend=current.redis_url)
    celery.conf.update(_configuration(current))
    return celery


def _configuration(current: Settings) -> dict[str, Any]:
    return {
        "task_serializer": "json",
        "result_serializer": "json",
        "accept_content": ["json"],
        "task_ignore_result": True,
        "task_acks_late": True,
        "task_reject_on_worker_lost": True,
        "task_retry_on_worker_lost": True,
        "task_queues": [Queue(name) for name in QUEUES],  # type: ignore[no-untyped-call] # kombu has no types here.
        "task_default_queue": "engine",
        "task_create_missing_queues": False,
        "worker_prefetch_multiplier": 1,
        "worker_cancel_long_running_tasks_on_connection_loss": True,
        "worker_soft_shutdown_timeout": 30,
        "worker_enable_soft_shutdown_on_idle": False,
        "worker_max_tasks_per_child": 10_000,
        "worker_send_task_events": current.task_events,
        "task_send_sent_event": current.task_events,
        "worker_hijack_root_logger": False,
        "broker_connection_retry_on_startup": True,
        "task_publish_retry_policy": {"max_retries": 5, "interval_start": 0.1, "interval_step": 0.3, "interval_max": 2},
        "result_chord_join_timeout": 30,
        "result_expires": 86_400,
        "result_chord_expires": 7 * 86_400,
        "broker_transport_options": _transport_options(),
        "redis_socket_timeout": 30,
        "redis_socket_connect_timeout": 5,
        "redis_socket_keepalive": True,
    }


def _transport_options() -> dict[str, Any]:
    return {
        "visibility_timeout": 3600,
        "socket_timeout": 30,
        "socket_connect_timeout": 5,
        "socket_keepalive": True,
        "health_check_interval": 10,
        "unacked_restore_interval": 5,
        "unacked_restore_throttle": 1,
        "priority_steps": [AHEAD, NORMAL],
    }
