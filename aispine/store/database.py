"""Connections to PostgreSQL: made lazily, once per process and login, bound to a tenant where the login is."""

from __future__ import annotations

import functools
import json
import os
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, Final

import psycopg2
from psycopg2.errors import LockNotAvailable
from sqlalchemy import Connection, Engine, create_engine, event, make_url
from sqlalchemy.exc import DBAPIError
from sqlalchemy.exc import TimeoutError as PoolTimeout
from sqlalchemy.orm import Session, SessionTransaction
from sqlalchemy.pool import ConnectionPoolEntry

from aispine.errors import InvalidRequest, StoreUnavailable, Unavailable
from aispine.store.clock import DatabaseClock
from aispine.store.prepared import Link, is_cut

_TENANT: Final = "tenant_id"
_UNNAMED: Final = "aispine_tenant"
"""Where a connection has the tenant for as long as its transaction has not said so to the server."""
WEB_OPTIONS: Final = "-c lock_timeout=10s"
"""A request waits for a row that somebody else decides on, but not so long that all threads stand in line."""


class Store:
    """One login to the database. Safe to make before a fork; it connects at first use."""

    def __init__(self, url: str, *, pool_size: int = 5, options: str = "") -> None:
        self._url = url
        self._options = options
        self._pool_size = pool_size
        self.clock = DatabaseClock()

    @functools.cached_property
    def database(self) -> str:
        """Names the database, whichever login is used."""
        url = make_url(self._url)
        return f"{url.host}:{url.port}/{url.database}?{url.query.get('host')}"

    @functools.cached_property
    def engine(self) -> Engine:
        made = create_engine(
            self._url,
            pool_size=self._pool_size,
            max_overflow=0,
            pool_timeout=30,
            json_serializer=dumps,
            # The engine's way; sessions turn it off while they last, which costs no round trip as another level would.
            isolation_level="AUTOCOMMIT",
            connect_args={
                "connect_timeout": 5,
                "application_name": "aispine",
                "keepalives_idle": 30,
                "options": self._options,
            },
        )
        event.listen(made, "checkin", _end_transactions)
        event.listen(made, "before_cursor_execute", _name_tenant, retval=True)
        return made

    @contextmanager
    def session(self, tenant_id: str | None) -> Iterator[Session]:
        """Yields a session that commits at the end; every transaction in it sees the rows of this tenant alone.

        None is for the engine's login, whose policies let it see every tenant.
        Raises `StoreUnavailable` when PostgreSQL does not answer.
        """
        with translated(), self._session(tenant_id) as session:
            yield session
            session.commit()

    @contextmanager
    def autocommit(self) -> Iterator[Link]:
        """Yields a connection on which one call of several statements is one transaction and one round trip."""
        with translated():
            pooled = self.engine.raw_connection()
            try:
                yield Link(pooled)
            finally:
                pooled.close()

    def _session(self, tenant_id: str | None) -> Session:
        return _TenantSession(self.engine, info={_TENANT: tenant_id}, expire_on_commit=False)

    def dispose(self, *, close: bool = True) -> None:
        """Forgets the connections; `close=False` in a forked child, whose parent goes on using them."""
        if "engine" in self.__dict__:
            self.engine.dispose(close=close)


class _TenantSession(Session):
    """A session whose transactions each say for whom they are."""


@event.listens_for(_TenantSession, "after_begin")
def _begin(session: Session, transaction: SessionTransaction, connection: Connection) -> None:
    if transaction.nested:
        return
    driver: Any = connection.connection.dbapi_connection
    # psycopg2 begins a transaction, READ COMMITTED as the server has it, with the first statement that follows.
    driver.autocommit = False
    connection.info[_UNNAMED] = session.info[_TENANT]


def _name_tenant(
    connection: Connection, cursor: Any, statement: str, parameters: Any, _context: Any, executemany: bool
) -> tuple[str, Any]:
    """Lets the first statement of a transaction say for whom it is, in the same round trip."""
    tenant_id = connection.info.pop(_UNNAMED, None)
    if tenant_id is None:
        return statement, parameters
    if executemany or "%" in tenant_id:  # It would be said with each of them, or be taken for a parameter.
        cursor.execute(_SET_TENANT, (tenant_id,))
        return statement, parameters
    return f"{cursor.mogrify(_SET_TENANT, (tenant_id,)).decode()}; {statement}", parameters


def link(session: Session) -> Link:
    """The session's connection for statements on which SQLAlchemy's work would be most of the work.

    They belong to the session's transaction; what it holds and has not flushed they do not see.
    """
    connection = session.connection()
    tenant_id = connection.info.pop(_UNNAMED, None)
    first = None if tenant_id is None else (_SET_TENANT, (tenant_id,))
    return Link(connection.connection, owner=connection, first=first)


def _end_transactions(connection: Any, record: ConnectionPoolEntry) -> None:
    """Gives a connection back to the pool as the pool's others are; it has been reset before."""
    record.info.pop(_UNNAMED, None)
    if connection is None:
        return
    try:
        connection.autocommit = True
    except psycopg2.Error as error:
        record.invalidate(error)


_SET_TENANT: Final = "SELECT set_config('aispine.tenant_id', %s, true)"


def bind_tenant(link: Link, tenant_id: str | None) -> str:
    """The SQL that says inside a transaction for whom it is, to go along with another statement."""
    if tenant_id is None:
        return ""
    return link.filled(f"{_SET_TENANT}; ", (tenant_id,))


_CHECK: Final = "Check AISPINE_DATABASE_URL, or run `aispine doctor`."
_TROUBLES: Final = {
    "53100": ("PostgreSQL has no room on its disk", "Free some; what waits goes on by itself."),
    "53300": ("PostgreSQL has no connection left", "Raise its max_connections, or run fewer workers."),
    "25006": ("PostgreSQL takes no changes", "It is a standby or set to read only; AISPINE_DATABASE_URL names it."),
}
"""What the server says of itself, by its code, and what to do about it."""


@contextmanager
def translated() -> Iterator[None]:
    """Turns a connection of no use into `StoreUnavailable`, too long a wait for a lock into `Unavailable`."""
    try:
        yield
    except PoolTimeout as error:
        raise StoreUnavailable(hint=_CHECK) from error
    except DBAPIError as error:
        trouble = _trouble(error.orig)
        if trouble is None and error.connection_invalidated:
            trouble = StoreUnavailable(hint="The connection was cut; try again.")
        if trouble is None:
            raise
        raise trouble from error
    except psycopg2.Error as error:
        trouble = _trouble(error)
        if trouble is None:
            raise
        raise trouble from error


def _trouble(error: BaseException | None) -> Unavailable | None:
    """What the caller is told; None when it is to blame itself."""
    if isinstance(error, LockNotAvailable):
        return Unavailable("Somebody else is changing this", hint="Try again in a moment.")
    if not isinstance(error, psycopg2.Error) or not is_cut(error):
        return None
    # Who is not let in gets no code, only words.
    code = "53300" if "connection slots" in str(error) or "too many clients" in str(error) else error.pgcode
    message, hint = _TROUBLES.get(code or "", (None, _CHECK))
    return StoreUnavailable(message, hint=hint)


def dumps(value: Any) -> str:
    """JSON as PostgreSQL takes it: compact, finite numbers only."""
    return _encode(value)


_encode: Final = json.JSONEncoder(separators=(",", ":"), allow_nan=False).encode
"""Made once: `json.dumps` would make one for each value."""


# The engine's statements find a few rows by their keys whatever the parameters: planning them again gains nothing.
_ENGINE_OPTIONS: Final = "-c plan_cache_mode=force_generic_plan -c jit=off"


@functools.cache
def _store(url: str, pool_size: int, options: str, _pid: int) -> Store:
    return Store(url, pool_size=pool_size, options=options)


def web_store() -> Store:
    """The store of the web process: its login owns nothing and sees one tenant at a time."""
    from aispine import settings

    current = settings.current()
    url = _required(current.web_database_url, "web_database_url")
    return _store(url, current.web_threads, WEB_OPTIONS, os.getpid())


def engine_store(pool_size: int = 4) -> Store:
    """The store of workers and beat."""
    from aispine import settings

    return _store(
        _required(settings.current().engine_database_url, "engine_database_url"),
        pool_size,
        _ENGINE_OPTIONS,
        os.getpid(),
    )


def _required(url: str | None, name: str) -> str:
    if url is None:
        raise InvalidRequest(
            f"AISPINE_{name.upper()} is not set and no local stack runs",
            field=name,
            hint="Start one with `aispine up`, or set the variable.",
        )
    return url
