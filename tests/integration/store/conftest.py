from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import pytest
from sqlalchemy import create_engine, make_url

from aispine.store.ids import new_id
from tests.support.environment import Servers


@contextmanager
def _database(servers: Servers) -> Iterator[str]:
    name = f"d{new_id().replace('-', '')}"
    owner = create_engine(servers.owner_url, isolation_level="AUTOCOMMIT")
    with owner.connect() as connection:
        connection.exec_driver_sql(f"CREATE DATABASE {name}")
    yield make_url(servers.owner_url).set(database=name).render_as_string(hide_password=False)
    with owner.connect() as connection:
        connection.exec_driver_sql(f"DROP DATABASE {name} WITH (FORCE)")
        connection.exec_driver_sql(f"DROP ROLE IF EXISTS {name}_web, {name}_engine")
    owner.dispose()


@pytest.fixture
def empty_database(servers: Servers) -> Iterator[str]:
    """The owner's URL of a database without tables; its two roles go with it."""
    with _database(servers) as url:
        yield url


@pytest.fixture
def another_database(servers: Servers) -> Iterator[str]:
    """As `empty_database`."""
    with _database(servers) as url:
        yield url
