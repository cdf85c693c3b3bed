from __future__ import annotations

from collections.abc import Iterator

import pytest

from aispine.store.database import Store
from tests.support.environment import Servers


@pytest.fixture
def store(no_workers: None, servers: Servers) -> Iterator[Store]:
    """The engine's store with a connection for each thread of a test."""
    store = Store(servers.engine_url, pool_size=24)
    yield store
    store.dispose()
