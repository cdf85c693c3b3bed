"""A worker's word that it lives: a row that its main process writes every few seconds, and reads whether to drain."""

from __future__ import annotations

import threading
from dataclasses import replace
from typing import Any, Final

from celery import signals
from celery.worker import state

from aispine import logs, settings
from aispine.errors import StoreUnavailable
from aispine.stack.worker import POOLS
from aispine.store import database, workers
from aispine.store.database import Store
from aispine.store.workers import Presence
from workers import presence, workbench

_LAST_WORD: Final = 5.0
"""Seconds that a heartbeat under way is given when the worker stops."""

_log = logs.get(__name__)


def attend(pool: str) -> None:
    """Lets the worker of this process say that it lives, from the moment at which it takes messages."""
    attending: list[Attendance] = []

    def begin(sender: Any, **_: Any) -> None:
        if not attending:  # Celery says it again after each reconnection.
            attending.append(Attendance(database.engine_store(workbench.POOL), sender, pool))
            attending[0].start()

    def end(**_: Any) -> None:
        for attendance in attending:
            attendance.stop()

    signals.worker_ready.connect(begin, weak=False)
    signals.worker_shutdown.connect(end, weak=False)


class Attendance:
    """The heartbeat of one worker, on a thread of its own."""

    def __init__(self, store: Store, consumer: Any, pool: str) -> None:
        self._store = store
        self._consumer = consumer
        self._queue = POOLS[pool].queue
        self._base = presence.of_this_process(consumer.hostname, pool)
        self._stopped = threading.Event()
        self._thread = threading.Thread(target=self._go_on, name="attendance", daemon=True)

    def start(self) -> None:
        self._thread.start()

    def stop(self) -> None:
        """Takes the worker's row away: it stops because it was asked to."""
        self._stopped.set()
        self._thread.join(_LAST_WORD)  # A heartbeat under way would bring the row back.
        try:
            workers.leave(self._store, self._base.worker_id)
        except StoreUnavailable as error:
            _log.warning("attendance.not_left", error=str(error))

    def beat(self) -> None:
        """Says that the worker lives, and lets it drain or go on as the row asks."""
        draining = workers.beat(self._store, self.presence())
        if draining is self._takes_messages and self._consumer.task_consumer is not None:
            change = self._consumer.cancel_task_queue if draining else self._consumer.add_task_queue
            # Celery's connection belongs to the thread of its loop.
            self._consumer.call_soon(change, self._queue)
            _log.info("worker.drains" if draining else "worker.resumes", queue=self._queue)

    def presence(self) -> Presence:
        info = self._consumer.pool.info
        return replace(
            self._base,
            queues=(self._queue,),
            slots=info["max-concurrency"],
            busy=len(state.active_requests),
            processes=tuple(info.get("processes", self._base.processes)),
            consuming=self._takes_messages,
        )

    @property
    def _takes_messages(self) -> bool:
        return self._queue in self._consumer.app.amqp.queues.consume_from

    def _go_on(self) -> None:
        while not self._stopped.is_set():
            try:
                self.beat()
            except StoreUnavailable as error:
                _log.warning("attendance.not_written", error=str(error))
            except Exception:  # noqa: BLE001 - recorded, and said again at the next heartbeat
                _log.exception("attendance.failed")
            self._stopped.wait(settings.current().heartbeat)
