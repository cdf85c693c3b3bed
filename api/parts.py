"""What the requests of one web process share, made at first use."""

from __future__ import annotations

import atexit
import functools
import time
from collections.abc import Iterator
from contextlib import contextmanager

from flask import current_app, g
from sqlalchemy.orm import Session

from aispine.access import Principal
from aispine.engine import broker
from aispine.engine.dispatch import Dispatch
from aispine.engine.meter import Meter
from aispine.engine.queues import Queues
from aispine.engine.surroundings import Surroundings
from aispine.errors import StoreUnavailable
from aispine.events.waker import Waker
from aispine.events.wakeups import Wakeups
from aispine.guards.breaker import Breaker
from aispine.guards.shared import Shared
from aispine.guards.turns import Turns
from aispine.settings import Settings
from aispine.store.database import WEB_OPTIONS, Store
from api.streams import READERS, Streams


class Parts:
    """The settings, the store and the streams of one application."""

    def __init__(self, settings: Settings) -> None:
        self.settings = settings
        self.started = time.monotonic()

    @functools.cached_property
    def store(self) -> Store:
        return self._store(self.settings.web_threads)

    def _store(self, pool_size: int) -> Store:
        url = self.settings.web_database_url
        if url is None:
            hint = "Start a local stack with `aispine up`, or set the variable."
            raise StoreUnavailable("AISPINE_WEB_DATABASE_URL is not set and no local stack runs", hint=hint)
        return Store(url, pool_size=pool_size, options=WEB_OPTIONS)

    @functools.cached_property
    def streams(self) -> Streams:
        return Streams(self._store(READERS), Wakeups(self.settings.redis_url), limit=self.settings.web_streams)

    @functools.cached_property
    def _waker(self) -> Waker | None:
        return Waker(self.settings.redis_url) if self.settings.redis_url else None

    @functools.cached_property
    def shared(self) -> Shared:
        return Shared(self.settings.redis_url, missed=lambda: self.meter.add("guards_missed_total", 1))

    @functools.cached_property
    def breaker(self) -> Breaker:
        return Breaker(self.shared)

    @functools.cached_property
    def turns(self) -> Turns:
        return Turns(self.shared)

    @functools.cached_property
    def meter(self) -> Meter:
        made = Meter(self.store, every=self.settings.heartbeat, bound=True)
        atexit.register(made.flush)
        return made

    @functools.cached_property
    def queues(self) -> Queues:
        return Queues(self.settings.broker_url or self.settings.redis_url or "")

    @property
    def surroundings(self) -> Surroundings:
        """What is known of the platform around the nodes of an execution."""
        settings = self.settings
        return Surroundings(lengths=self.queues.lengths, lease=settings.lease, heartbeat=settings.heartbeat)

    def dispatch(self, tenant_id: str) -> Dispatch:
        """What sends the messages that an operation of the tenant calls for."""
        return Dispatch(
            store=self.store,
            celery=broker.app(),
            wakeups=self,
            meter=self.meter,
            turns=self.turns,
            tenant_id=tenant_id,
        )

    def wake(self, execution_id: str, *, at_once: bool = False) -> None:
        """Tells followers of the execution, in this process and others, that it has new events."""
        if self._waker is not None:
            self._waker.wake(execution_id, at_once=at_once)


def parts() -> Parts:
    """The parts of the application that serves this request."""
    found: Parts = current_app.extensions["aispine"]
    return found


def principal() -> Principal:
    """Who asks; known on every route that takes a key."""
    found: Principal = g.principal
    return found


@contextmanager
def tenant_session() -> Iterator[Session]:
    """Yields a session that sees the rows of the asking tenant alone and commits at the end."""
    with parts().store.session(principal().tenant_id) as session:
        yield session
