from __future__ import annotations

from collections.abc import Iterator

import pytest
import redis

from aispine.engine.recover import Tick
from aispine.store.database import Store
from tests.integration.engine.beats import Messages, beat
from tests.support.environment import Servers


@pytest.fixture
def store(no_workers: None, servers: Servers) -> Iterator[Store]:
    """The engine's store with a connection for each thread of a test."""
    store = Store(servers.engine_url, pool_size=24)
    yield store
    store.dispose()


@pytest.fixture
def messages(servers: Servers, no_workers: None) -> Iterator[Messages]:
    with redis.Redis.from_url(servers.redis_url) as client:
        found = Messages(client)
        found.lose()
        yield found
        found.lose()


@pytest.fixture
def ticks(store: Store, servers: Servers, messages: Messages) -> list[Tick]:
    """Three beats that have each ticked once, with something in the queue so that nothing counts as lost."""
    found = [beat(store, servers) for _ in range(3)]
    messages.stuff("cpu")
    for tick in found:
        tick.recover()
    return found
