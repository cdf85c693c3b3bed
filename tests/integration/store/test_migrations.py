"""Migrations: they make what the models say, and may run again and at once."""

from __future__ import annotations

import os
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from sqlalchemy import create_engine, text

from aispine.stack import bootstrap
from aispine.store import api_keys, migrate
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
    key, another = api_keys.new_key(), api_keys.new_key()
    assert migrate.pending(empty_database)
    first = migrate.upgrade(empty_database, KEYS, key)
    assert not migrate.pending(empty_database)
    assert first.api_key == key
    assert migrate.upgrade(empty_database, KEYS, key) == first
    assert migrate.upgrade(empty_database, KEYS, another).api_key is None
    assert _keys_in(empty_database) == 1


def test_several_processes_migrate_at_once(empty_database: str, tmp_path: Path) -> None:
    files = [tmp_path / name for name in "abc"]
    with ThreadPoolExecutor(3) as pool:
        results = list(pool.map(lambda file: bootstrap.run(empty_database, KEYS, file, _environment()), files))
    made = [result.api_key for result in results if result.api_key is not None]
    assert len(made) == 1
    assert [file.read_text().strip() for file in files if file.exists()] == made
    assert _keys_in(empty_database) == 1


def test_a_start_that_was_killed_before_it_stored_the_key_leaves_none_that_nobody_knows(
    empty_database: str, tmp_path: Path
) -> None:
    (tmp_path / "api.key").write_text("sk_written_first\n")
    for _ in range(2):
        result = bootstrap.run(empty_database, KEYS, tmp_path / "api.key", _environment())
        assert result.api_key == "sk_written_first"
    assert _keys_in(empty_database) == 1


def test_the_key_file_of_another_database_is_kept_but_not_shown(empty_database: str, tmp_path: Path) -> None:
    migrate.upgrade(empty_database, KEYS, api_keys.new_key())
    (tmp_path / "api.key").write_text("sk_of_another\n")
    assert bootstrap.run(empty_database, KEYS, tmp_path / "api.key", _environment()).api_key is None
    assert (tmp_path / "api.key").read_text() == "sk_of_another\n"


def _environment() -> dict[str, str]:
    outer = {name: value for name, value in os.environ.items() if not name.startswith("AISPINE_")}
    return {**outer, "PYTHONPATH": str(ROOT)}


def _keys_in(database_url: str) -> int:
    engine = create_engine(database_url)
    try:
        with engine.connect() as connection:
            return int(connection.scalar(text("SELECT count(*) FROM api_keys")) or 0)
    finally:
        engine.dispose()
