"""A database that is to be filled from a backup: empty before, whole afterwards, and nothing if that fails."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final

from sqlalchemy import URL, Connection, create_engine, inspect, make_url, text

from aispine.errors import Conflict
from aispine.store import migrate
from aispine.store.database import translated
from aispine.store.isolation import Logins, quote
from aispine.store.models import Base

REVISIONS: Final = "alembic_version"


@contextmanager
def filled(owner_url: str, keys: str, revision: str) -> Iterator[None]:
    """Makes the tables of that revision for the block to fill, and brings them to this version afterwards.

    Their policies do not hold the owner while the block runs. Raises `Conflict` when the database is not empty;
    whatever the block raises leaves it empty again.
    """
    with _owner(owner_url) as connection:
        if inspect(connection).get_table_names():
            raise Conflict(
                "the database is not empty", hint="Restore into an empty one, or set AISPINE_HOME to a new folder."
            )
    migrate.create(owner_url, keys, revision)
    try:
        with _owner(owner_url) as connection:
            connection.execute(text(f"TRUNCATE {', '.join(_tables(connection))}"))
            _hold_owner(connection, "NO FORCE")
        yield
        with _owner(owner_url) as connection:
            _hold_owner(connection, "FORCE")
        migrate.create(owner_url, keys, migrate.NEWEST)
    except BaseException:
        with _owner(owner_url) as connection:
            connection.execute(text(f"DROP TABLE {', '.join(_tables(connection))}"))
        raise


def open_to_engine(owner_url: str) -> int:
    """Lets the engine's login read what a backup needs; returns the server's major version."""
    with _owner(owner_url) as connection:
        engine = quote(connection, Logins.of(make_url(owner_url)).engine)
        connection.execute(text(f"GRANT SELECT ON ALL TABLES IN SCHEMA public TO {engine}"))
        connection.execute(text(f"GRANT SELECT ON ALL SEQUENCES IN SCHEMA public TO {engine}"))
    return server_version(owner_url)


def server_version(url: str | URL) -> int:
    """The major version of the server."""
    with _owner(url) as connection:
        return int(connection.scalar(text("SHOW server_version_num")) or 0) // 10_000


def revision(url: str) -> str | None:
    """The revision of the database's tables; None where there are none."""
    with _owner(url) as connection:
        found: str | None = None
        if REVISIONS in inspect(connection).get_table_names():
            found = connection.scalar(text(f"SELECT version_num FROM {REVISIONS}"))
        return found


def _tables(connection: Connection) -> list[str]:
    known = {REVISIONS, *Base.metadata.tables}
    return [name for name in inspect(connection).get_table_names() if name in known]


def _hold_owner(connection: Connection, how: str) -> None:
    for table in _tables(connection):
        if table != REVISIONS:
            connection.execute(text(f"ALTER TABLE {table} {how} ROW LEVEL SECURITY"))


@contextmanager
def _owner(url: str | URL) -> Iterator[Connection]:
    engine = create_engine(url)
    try:
        with translated(), engine.connect() as connection, connection.begin():
            yield connection
    finally:
        engine.dispose()
