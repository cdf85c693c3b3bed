"""Brings a database to this version: logins, tables, policies, the first tenant and its key."""

from __future__ import annotations

import hashlib
import hmac
from dataclasses import dataclass
from typing import Final

from alembic import command
from alembic.config import Config
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from alembic.util.exc import CommandError
from sqlalchemy import URL, Connection, create_engine, make_url, text

from aispine.errors import Conflict
from aispine.store import api_keys
from aispine.store.database import Store, translated
from aispine.store.isolation import Logins

DEFAULT_TENANT: Final = "default"
NEWEST: Final = "head"
_LOCK: Final = 7_314_100_801
"""Names the advisory lock under which one process at a time migrates."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Bootstrap:
    """What the processes need; `api_key` is the key that was given, None where the first tenant has others."""

    web_database_url: str
    engine_database_url: str
    api_key: str | None


def upgrade(owner_url: str, keys: str, api_key: str) -> Bootstrap:
    """Migrates to the newest version and makes the default tenant; safe to run again and by several at once.

    `keys` are the encryption keys, from which the two logins' passwords are derived. `api_key` becomes the default
    tenant's first key when it has none.
    Raises `StoreUnavailable` when the database does not answer.
    """
    url = make_url(owner_url)
    logins = Logins.of(url)
    passwords = {role: _password(keys, role) for role in (logins.web, logins.engine)}
    _migrate(url, logins, passwords, NEWEST)
    engine_url = _as(url, logins.engine, passwords[logins.engine])
    return Bootstrap(
        web_database_url=_as(url, logins.web, passwords[logins.web]),
        engine_database_url=engine_url,
        api_key=api_key if _is_valid(engine_url, api_key) else None,
    )


def create(owner_url: str, keys: str, revision: str) -> None:
    """Makes the logins and the tables of that revision in an empty database, without any row.

    Raises `StoreUnavailable`, and `Conflict` when the revision is of a newer version than this one.
    """
    url = make_url(owner_url)
    logins = Logins.of(url)
    passwords = {role: _password(keys, role) for role in (logins.web, logins.engine)}
    try:
        _migrate(url, logins, passwords, revision)
    except CommandError as error:
        raise Conflict(
            f"this version knows no database of revision {revision}", hint="Install the version that it is from."
        ) from error


def engine_url(owner_url: str, keys: str) -> str:
    """The URL of the engine's login, whose policies let it see every row."""
    url = make_url(owner_url)
    role = Logins.of(url).engine
    return _as(url, role, _password(keys, role))


def _migrate(url: URL, logins: Logins, passwords: dict[str, str], revision: str) -> None:
    engine = create_engine(url)
    try:
        with translated(), engine.connect() as connection, connection.begin():
            connection.execute(text("SELECT pg_advisory_xact_lock(:lock)"), {"lock": _LOCK})
            _make_logins(connection, passwords)
            command.upgrade(_config(connection, logins), revision)
    finally:
        engine.dispose()


def pending(owner_url: str) -> bool:
    """True when the database is behind this version's migrations."""
    engine = create_engine(owner_url)
    try:
        with translated(), engine.connect() as connection:
            current = MigrationContext.configure(connection).get_current_revision()
            script = ScriptDirectory.from_config(_config(connection, Logins.of(make_url(owner_url))))
            return current != script.get_current_head()
    finally:
        engine.dispose()


def _config(connection: Connection, logins: Logins) -> Config:
    config = Config()
    config.set_main_option("script_location", "aispine.store:migrations")
    config.attributes.update(connection=connection, logins=logins)
    return config


def _password(keys: str, role: str) -> str:
    first = keys.partition(",")[0].strip()
    return hmac.new(first.encode(), role.encode(), hashlib.sha256).hexdigest()


def _make_logins(connection: Connection, passwords: dict[str, str]) -> None:
    quote = connection.dialect.identifier_preparer.quote
    for role, password in passwords.items():
        exists = connection.scalar(text("SELECT 1 FROM pg_roles WHERE rolname = :role"), {"role": role})
        verb = "ALTER" if exists else "CREATE"
        connection.exec_driver_sql(f"{verb} ROLE {quote(role)} LOGIN PASSWORD '{password}'")


def _as(url: URL, role: str, password: str) -> str:
    return url.set(username=role, password=password).render_as_string(hide_password=False)


def _is_valid(engine_url: str, api_key: str) -> bool:
    store = Store(engine_url, pool_size=1)
    try:
        with store.session(None) as session:
            return api_keys.bootstrap(session, DEFAULT_TENANT, api_key)
    finally:
        store.dispose()
