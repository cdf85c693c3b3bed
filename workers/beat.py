"""Beat's scheduler: it ticks, and every due time is a row in the store."""

from __future__ import annotations

import math
import time
from socket import gethostname
from typing import Any, Final

from celery.beat import Scheduler
from celery.utils.nodenames import nodename

from aispine import logs, memory, schedules, settings
from aispine.agent import folder
from aispine.agent.rounds import Rounds
from aispine.agent.watch import FolderWatch
from aispine.conversation import notices
from aispine.engine import broker, metrics
from aispine.engine.dispatch import Dispatch
from aispine.engine.queues import Queues
from aispine.engine.recover import Tick
from aispine.errors import StoreUnavailable
from aispine.files import Sweep
from aispine.guards.turns import Turns
from aispine.retention import Retention
from aispine.stack.worker import BEAT
from aispine.store import counters, database, workers
from workers import presence, process

FORGOTTEN: Final = 300.0
"""Seconds of silence after which a worker is no longer shown, not even as lost."""

_COUNTED_EVERY: Final = 5
"""Heartbeats between two counts of what is open."""

_log = logs.get(__name__)


class TickScheduler(Scheduler):  # type: ignore[misc] # Celery has no types.
    """Runs the tick inside beat's own process, so that no queue can delay a timer or a recovery."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._tick = _tick()
        current = settings.current()
        kept = {"seconds": current.retention, "call_seconds": current.call_retention}
        self._retention = Retention(store=self._tick.store, **kept)
        self._files = Sweep(self._tick.store, settings.current())
        self._rounds = Rounds(self._tick.store, settings.current())
        self._presence = presence.of_this_process(nodename(BEAT, gethostname()), BEAT)
        self._folders = FolderWatch(self._tick.store, folder.search_path(settings.current()))
        self._spoke_at = -math.inf
        self._beats = 0
        memory.give_back()

    def tick(self, *_args: Any, **_kwargs: Any) -> float:
        """Recovers once and starts what schedules are due; returns the seconds to sleep."""
        period = settings.current().tick
        try:
            troubled = self._tick.recover() > 0
            schedules.fire_due(self._tick.store)
            notices.remind(self._tick.celery, self._tick.store)
            self._retention.forget()
            self._files.look()
            self._rounds.look()
            self._say_it_lives()
            self._folders.look()
            return period if troubled else self._tick.pause(period)
        except StoreUnavailable as error:
            _log.warning("tick.store_unavailable", error=str(error))
            return period

    def _say_it_lives(self) -> None:
        """Only a tick that got through says so."""
        if time.monotonic() < self._spoke_at + settings.current().heartbeat:
            return
        self._spoke_at = time.monotonic()
        workers.beat(self._tick.store, self._presence)
        for name in workers.forget(self._tick.store, FORGOTTEN):
            _log.warning("tick.worker_gone", worker=name)
        if self._beats % _COUNTED_EVERY == 0:
            counters.put(self._tick.store, metrics.open_samples(counters.open_work(self._tick.store)))
        self._beats += 1

    def close(self) -> None:
        """Takes beat's row away: it stops because it was asked to."""
        try:
            workers.leave(self._tick.store, self._presence.worker_id)
        except StoreUnavailable as error:
            _log.warning("tick.not_left", error=str(error))
        super().close()


def _tick() -> Tick:
    current = settings.current()
    store, celery = database.engine_store(2), broker.app()
    meter = process.meter(store)
    return Tick(
        store=store,
        celery=celery,
        terms=process.terms(),
        dispatch=Dispatch(
            store=store, celery=celery, wakeups=process.waker(), meter=meter, turns=Turns(process.shared(meter))
        ),
        queues=Queues(current.broker_url or str(current.redis_url)),
    )
