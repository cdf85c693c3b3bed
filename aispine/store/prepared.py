"""Statements prepared once per connection, so that the hot path is neither parsed nor planned again."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Final

from sqlalchemy import Connection, CursorResult, Row

_KNOWN: Final = "aispine_prepared"


@dataclass(frozen=True, slots=True)
class Statement:
    """A named statement with `$1`-style parameters of the given PostgreSQL types."""

    name: str
    types: str
    sql: str

    def one(self, connection: Connection, *parameters: Any, before: str = "") -> Row[Any] | None:
        """Executes and returns the first row; `before` is SQL that goes along in the same round trip."""
        return self._execute(connection, parameters, before, "").first()

    def all(self, connection: Connection, *parameters: Any) -> list[Row[Any]]:
        return list(self._execute(connection, parameters, "", ""))

    def run(self, connection: Connection, *parameters: Any, after: str = "") -> None:
        """Executes for its effect; `after` is SQL that goes along in the same round trip."""
        self._execute(connection, parameters, "", after)

    def call(self, connection: Connection, *parameters: Any) -> str:
        """The `EXECUTE` as text with its parameters in place, to go along with another statement."""
        cursor = connection.connection.cursor()
        text: bytes = cursor.mogrify(self._call(len(parameters)), parameters)
        return text.decode().replace("%", "%%")

    def prepare(self, connection: Connection) -> None:
        known: set[str] = connection.connection.info.setdefault(_KNOWN, set())
        if self.name not in known:
            connection.exec_driver_sql(f"PREPARE {self.name}{_listed(self.types)} AS {self.sql}")
            known.add(self.name)

    def _execute(
        self, connection: Connection, parameters: tuple[Any, ...], before: str, after: str
    ) -> CursorResult[Any]:
        self.prepare(connection)
        parts = [part for part in (before, self._call(len(parameters)), after) if part]
        return connection.exec_driver_sql("; ".join(parts), parameters)

    def _call(self, count: int) -> str:
        return f"EXECUTE {self.name}{_listed(', '.join(['%s'] * count))}"


def _listed(names: str) -> str:
    """In parentheses, which PostgreSQL does not take around nothing."""
    return f" ({names})" if names else ""
