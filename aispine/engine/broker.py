"""The Celery app: made once per process, by workers with their tasks and by everybody else to send by name."""

from __future__ import annotations

import functools
from typing import Any, Final

from celery import Celery
from kombu.entity import Queue
from kombu.exceptions import OperationalError

from aispine import settings
from aispine.engine import transport
from aispine.engine.transport import Transport
from aispine.errors import InvalidRequest
from aispine.settings import Settings

RUN: Final = "aispine.run"
RUN_LANE: Final = "aispine.run_lane"
ADVANCE: Final = "aispine.advance"
READ: Final = "aispine.read"
SEND: Final = "aispine.send"
QUEUES: Final = ("engine", "cpu", "io")

_CONFIRMED: Final = 3.0
"""Seconds in which a broker that confirms what it takes has to do so; RabbitMQ short of memory or disk does not."""


class App(Celery):  # type: ignore[misc] # Celery has no types.
    """Celery, that sends within a limit, and for which every refusal of a broker is an `OperationalError`.

    So a message that was not sent is one thing to all callers: its row is due, and the tick sends it later.
    """

    def send_task(self, *arguments: Any, **options: Any) -> Any:
        try:
            return super().send_task(*arguments, **{"confirm_timeout": _CONFIRMED, **options})
        except transport.refusals() as error:
            raise OperationalError(str(error)) from error


@functools.cache
def app() -> Celery:
    """The Celery app of this process, set up from its settings."""
    return make_app(settings.current())


def make_app(current: Settings) -> Celery:
    """A Celery app that reads no result and sends small JSON messages.

    Redis holds counters of chords and nothing else: every status comes from the store.
    """
    used = transport.of_settings(current)
    if current.redis_url is None or used is None:
        raise InvalidRequest(
            "AISPINE_REDIS_URL is not set and no local stack runs",
            field="redis_url",
            hint="Start one with `aispine up`, or set the variable.",
        )
    transport.require(used)
    celery = App("aispine", broker=used.url, backend=current.redis_url)
    celery.conf.update(_configuration(current, used))
    return celery


def _configuration(current: Settings, used: Transport) -> dict[str, Any]:
    return {
        "task_serializer": "json",
        "result_serializer": "json",
        "accept_content": ["json"],
        "task_ignore_result": True,
        "task_acks_late": True,
        "task_reject_on_worker_lost": True,
        "task_retry_on_worker_lost": True,
        "task_queues": _queues(used),
        "task_default_queue": "engine",
        "task_create_missing_queues": False,
        "worker_prefetch_multiplier": 1,
        "worker_cancel_long_running_tasks_on_connection_loss": True,
        "worker_soft_shutdown_timeout": 30,
        "worker_enable_soft_shutdown_on_idle": False,
        "worker_max_tasks_per_child": current.tasks_per_child or None,
        "worker_send_task_events": current.task_events,
        "task_send_sent_event": current.task_events,
        "worker_hijack_root_logger": False,
        "broker_connection_retry_on_startup": True,
        "task_publish_retry_policy": {"max_retries": 5, "interval_start": 0.1, "interval_step": 0.3, "interval_max": 2},
        "result_chord_join_timeout": 30,
        "result_expires": 86_400,
        "result_chord_expires": 7 * 86_400,
        "broker_transport_options": dict(used.options),
        "redis_socket_timeout": 30,
        "redis_socket_connect_timeout": 5,
        "redis_socket_keepalive": True,
        **used.configuration,
    }


def _queues(used: Transport) -> list[Any]:
    queue: Any = Queue
    return [queue(name, queue_arguments=dict(used.queue_arguments)) for name in QUEUES]
