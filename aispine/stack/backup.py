"""Backing a database up, restoring it and migrating it: the user's own, or that of the home whether it runs or not."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from aispine import settings
from aispine.errors import InvalidRequest
from aispine.settings import Settings
from aispine.stack import archive, bootstrap, home, postgres, procfile
from aispine.stack.ledger import Ledger
from aispine.store import migrate, vacant


@dataclass(frozen=True, kw_only=True, slots=True)
class Target:
    """A database that answers: the owner's URL, the engine's, and the keys behind it."""

    owner_url: str
    engine_url: str
    keys: str


def chosen() -> Settings:
    """The settings of the database that the user names, all of its own, or else of the local stack.

    What a stack that was killed has left in its file leads nowhere; then the home's own database is meant.
    """
    named = settings.load(stack=False)
    return settings.load() if named.database_url is None and home.held(named.home) else named


@contextmanager
def target(given: Settings) -> Iterator[Target]:
    """The database that the settings or the running stack name, or the home's own, started for the while.

    Raises `StackError` when it cannot be started or a stack is just starting, `StoreUnavailable` when it does not
    answer.
    """
    keys = bootstrap.keys(given)
    if given.database_url is not None:
        yield _target(given.database_url, given.engine_database_url, keys)
        return
    folder = home.prepare(given.home)
    with home.lock(folder) as lock:
        lock.describe()
        ledger = Ledger(folder)
        ledger.end_leftovers()
        cluster = postgres.prepare(folder)
        process = postgres.start(cluster)
        try:
            ledger.add(process)
            yield _target(cluster.url, None, keys)
        finally:
            process.stop()


def _target(owner_url: str, engine_url: str | None, keys: str) -> Target:
    return Target(owner_url=owner_url, engine_url=engine_url or migrate.engine_url(owner_url, keys), keys=keys)


def backup(database: Target, file: Path) -> int:
    """Writes a consistent backup while everything goes on; returns its size in bytes.

    The file appears once it is whole, for its owner alone. Raises `InvalidRequest` when it exists or cannot be written.
    """
    if file.exists():
        raise InvalidRequest(f"{file} exists", field="file", hint="Choose another name, or remove it.")
    server = vacant.open_to_engine(database.owner_url)
    partial = file.with_name(f".{file.name}.{os.getpid()}.partial")
    try:
        partial.touch(0o600)
    except OSError as error:
        raise InvalidRequest(f"{file} cannot be written: {error.strerror}", field="file") from error
    try:
        archive.dump(database.engine_url, partial, server)
        partial.rename(file)
    finally:
        partial.unlink(missing_ok=True)
    return file.stat().st_size


def restore(database: Target, file: Path) -> None:
    """Fills an empty database from a backup and brings it to this version; all of it or nothing.

    Raises `InvalidRequest` when the file is no backup, `Conflict` when the database is not empty or the backup is of a
    newer version.
    """
    if not file.is_file():
        raise InvalidRequest(f"there is no file {file}", field="file")
    server = vacant.server_version(database.owner_url)
    revision = archive.revision(file, server)
    with vacant.filled(database.owner_url, database.keys, revision):
        archive.load(database.owner_url, file, server)


def upgrade(database: Target, folder: Path) -> bootstrap.Result:
    """Migrates to the newest revision and registers the agents in folders, as `aispine up` does."""
    key_file = home.prepare(folder) / home.API_KEY_FILE
    return bootstrap.run(database.owner_url, database.keys, key_file, procfile.environment(os.environ))
