"""The engine's own way to PostgreSQL: statements prepared once per connection, one round trip a call."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Final

import psycopg2
from psycopg2.errors import ReadOnlySqlTransaction
from psycopg2.extras import NamedTupleCursor
from sqlalchemy import Connection, PoolProxiedConnection

_KNOWN: Final = "aispine_prepared"


def is_cut(error: psycopg2.Error) -> bool:
    """True when the connection is to blame and not what was asked.

    What the server itself says has a code; when it goes away while it answers, there is none, and no class says so.
    A full disk and too many connections are among the operational errors; a server that has become a standby is not.
    """
    unfit = isinstance(error, psycopg2.OperationalError | psycopg2.InterfaceError | ReadOnlySqlTransaction)
    return unfit or error.pgcode is None


class Link:
    """A pooled connection under autocommit: one call of several statements is one transaction.

    Inside of a session's transaction (`database.link`) it is a part of that. `first` is SQL with its parameters that
    goes along with the first call.
    """

    def __init__(
        self,
        pooled: PoolProxiedConnection,
        *,
        owner: Connection | None = None,
        first: tuple[str, tuple[Any, ...]] | None = None,
    ) -> None:
        self._pooled: Any = pooled
        self._owner: Any = owner or pooled
        self._first = first
        self.prepared: set[str] = pooled.info.setdefault(_KNOWN, set())

    def execute(self, sql: str, parameters: tuple[Any, ...] | None = None) -> list[Any]:
        """Returns the rows of the last statement as named tuples.

        A connection that fails is thrown away, so that the pool hands it to nobody.
        """
        if self._first is not None:
            (before, given), self._first = self._first, None
            sql = f"{before}; {sql if parameters else sql.replace('%', '%%')}"
            parameters = (*given, *(parameters or ()))
        try:
            with self._pooled.cursor(cursor_factory=NamedTupleCursor) as cursor:
                cursor.execute(sql, parameters)
                return cursor.fetchall() if cursor.description else []
        except psycopg2.Error as error:
            if is_cut(error):
                self._owner.invalidate(error)
            raise

    def filled(self, sql: str, parameters: tuple[Any, ...]) -> str:
        """The SQL with its parameters in place, to go along with another statement that has parameters."""
        with self._pooled.cursor() as cursor:
            text: bytes = cursor.mogrify(sql, parameters)
        return text.decode().replace("%", "%%")

    @property
    def usable(self) -> bool:
        return bool(self._pooled.is_valid)


@dataclass(frozen=True, slots=True)
class Statement:
    """A named statement with `$1`-style parameters of the given PostgreSQL types."""

    name: str
    types: str
    sql: str

    def one(self, link: Link, *parameters: Any, before: str = "") -> Any:
        """Executes and returns the first row or None; `before` is SQL that goes along in the same round trip."""
        rows = self._execute(link, parameters, before, "")
        return rows[0] if rows else None

    def all(self, link: Link, *parameters: Any) -> list[Any]:
        return self._execute(link, parameters, "", "")

    def run(self, link: Link, *parameters: Any, after: str = "") -> None:
        """Executes for its effect; `after` is SQL that goes along in the same round trip."""
        self._execute(link, parameters, "", after)

    def call(self, link: Link, *parameters: Any) -> str:
        """The `EXECUTE` as text with its parameters in place, to go along with another statement."""
        return link.filled(self._call(len(parameters)), parameters)

    def prepare(self, link: Link) -> None:
        if self.name not in link.prepared:
            link.execute(f"PREPARE {self.name}{_listed(self.types)} AS {self.sql}")
            link.prepared.add(self.name)

    def _execute(self, link: Link, parameters: tuple[Any, ...], before: str, after: str) -> list[Any]:
        self.prepare(link)
        parts = [part for part in (before, self._call(len(parameters)), after) if part]
        return link.execute("; ".join(parts), parameters or None)

    def _call(self, count: int) -> str:
        return f"EXECUTE {self.name}{_listed(', '.join(['%s'] * count))}"


def _listed(names: str) -> str:
    """In parentheses, which PostgreSQL does not take around nothing."""
    return f" ({names})" if names else ""
