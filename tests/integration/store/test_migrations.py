"""Migrations: they make what the models say, and may run again and at once."""

from __future__ import annotations

import os
from concurrent.futures import ThreadPoolExecutor

from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from sqlalchemy import create_engine, text

from aispine.stack import bootstrap
from aispine.store import migrate
from aispine.store.models import Base
from tests.support.environment import ROOT, Servers

KEYS = "a-key-of-a-test"


def test_the_migrated_tables_are_those_of_the_models(servers: Servers) -> None:
    engine = create_engine(servers.owner_url)
    with engine.connect() as connection:
        options = {"compare_type": True, "compare_server_default": True}
        differences = compare_metadata(MigrationContext.configure(connection, opts=options), Base.metadata)
    engine.dispose()
    assert differences == []


def test_migrating_again_changes_nothing_and_makes_no_second_key(empty_database: str) -> None:
    assert migrate.pending(empty_database)
    first = migrate.upgrade(empty_database, KEYS)
    assert not migrate.pending(empty_database)
    second = migrate.upgrade(empty_database, KEYS)
    assert first.api_key is not None
    assert second.api_key is None
    assert second.engine_database_url == first.engine_database_url


def test_several_processes_migrate_at_once(empty_database: str) -> None:
    outer = {name: value for name, value in os.environ.items() if not name.startswith("AISPINE_")}
    env = {**outer, "PYTHONPATH": str(ROOT)}
    with ThreadPoolExecutor(3) as pool:
        results = list(pool.map(lambda _: bootstrap.run(empty_database, KEYS, env), range(3)))
    assert len([result.api_key for result in results if result.api_key is not None]) == 1
    engine = create_engine(empty_database)
    with engine.connect() as connection:
        assert connection.scalar(text("SELECT count(*) FROM api_keys")) == 1
    engine.dispose()
