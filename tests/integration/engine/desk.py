"""What a task works with, in the test's own process."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from aispine import settings
from aispine.engine import broker
from aispine.engine.dispatch import Dispatch
from aispine.engine.lease import Leases
from aispine.engine.work import AgentCache, Worker
from aispine.store.database import Store
from tests.integration.engine.crew import TERMS
from tests.support.operations import Silence


class NoCanvas:
    """A message that came alone."""

    following: frozenset[str] = frozenset()

    def skip(self) -> None: ...

    def stop(self) -> None: ...


def worker(store: Store, **changed: Any) -> Worker:
    """`changed` are settings."""
    return Worker(
        store=store,
        settings=replace(settings.current(), **changed),
        terms=TERMS,
        leases=Leases(store, TERMS.owner, lease=TERMS.lease, heartbeat=60.0),
        dispatch=Dispatch(store=store, celery=broker.app(), wakeups=Silence()),
        agents=AgentCache(),
    )
