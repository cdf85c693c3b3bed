"""Beat's scheduler: it ticks, and every due time is a row in the store."""

from __future__ import annotations

from typing import Any

from celery.beat import Scheduler

from aispine import logs, settings
from aispine.engine import broker
from aispine.engine.dispatch import Dispatch
from aispine.engine.queues import Queues
from aispine.engine.recover import Tick
from aispine.errors import StoreUnavailable
from aispine.store import database
from workers import process

_log = logs.get(__name__)


class TickScheduler(Scheduler):  # type: ignore[misc] # Celery has no types.
    """Runs the tick inside beat's own process, so that no queue can delay a timer or a recovery."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._tick = _tick()

    def tick(self, *_args: Any, **_kwargs: Any) -> float:
        """Recovers once; returns the seconds to sleep."""
        period = settings.current().tick
        try:
            troubled = self._tick.recover() > 0
            return period if troubled else self._tick.pause(period)
        except StoreUnavailable as error:
            _log.warning("tick.store_unavailable", error=str(error))
            return period


def _tick() -> Tick:
    current = settings.current()
    store, celery = database.engine_store(2), broker.app()
    return Tick(
        store=store,
        celery=celery,
        terms=process.terms(),
        dispatch=Dispatch(store=store, celery=celery, wakeups=process.waker()),
        queues=Queues(current.broker_url or str(current.redis_url)),
    )
