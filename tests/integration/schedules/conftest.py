from __future__ import annotations

from collections.abc import Iterator

import pytest

from aispine.store.database import Store
from tests.integration.schedules.timetable import Timetable
from tests.support.environment import Servers


@pytest.fixture
def timetable(no_workers: None, servers: Servers, tenant: str) -> Iterator[Timetable]:
    """The tenant's schedules; nothing is due but what a test makes due, and no other beat runs."""
    store = Store(servers.engine_url, pool_size=8)
    found = Timetable(store, tenant)
    # What other tests have left due.
    found.fire()
    yield found
    found.clear()
    store.dispose()
