"""The table of reservations: any database that SQLAlchemy speaks to, or the sample that comes with the agent."""

import functools
import re
import sqlite3
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, datetime
from pathlib import Path
from typing import Any

from sqlalchemy import create_engine, text
from sqlalchemy.exc import SQLAlchemyError

from aispine.agent import AgentError

COLUMNS = ("code", "guest", "check_in", "check_out", "room")


@dataclass(frozen=True, kw_only=True, slots=True)
class Reservation:
    """A row: the guest is expected from `check_in` on and leaves on `check_out`."""

    code: str
    guest: str
    check_in: date
    check_out: date
    room: str

    def as_dict(self) -> dict[str, str]:
        return {
            "code": self.code,
            "guest": self.guest,
            "check_in": self.check_in.isoformat(),
            "check_out": self.check_out.isoformat(),
            "room": self.room,
        }


def reservations(url: str | None, table: str) -> Iterator[Reservation]:
    """Every row of the table at a database's URL; of the sample where no URL is given."""
    if not re.fullmatch(r"[A-Za-z_][A-Za-z0-9_.]*", table):
        raise AgentError("`config.table` must be the name of a table", code="invalid_input")
    for row in _sample() if url is None else _rows(url, table):
        code, guest, check_in, check_out, room = row
        yield Reservation(
            code=str(code), guest=str(guest), check_in=_day(check_in), check_out=_day(check_out), room=str(room)
        )


def _rows(url: str, table: str) -> list[Any]:
    try:
        with _engine(url).connect() as connection:
            return list(connection.execute(text(f"SELECT {', '.join(COLUMNS)} FROM {table}")).all())  # noqa: S608
    except SQLAlchemyError as error:
        message = f"the table of reservations cannot be read: {type(error).__name__}"
        raise AgentError(message, code="unavailable") from error


@functools.lru_cache(maxsize=4)
def _engine(url: str) -> Any:
    try:
        return create_engine(url, pool_pre_ping=True, pool_size=2)
    except (SQLAlchemyError, ImportError, ValueError) as error:
        raise AgentError("`config.url` is no database URL that can be used", code="invalid_input") from error


def _sample() -> list[Any]:
    with sqlite3.connect(":memory:") as connection:
        connection.executescript((Path(__file__).parent / "sample.sql").read_text("utf-8"))
        found = connection.execute(f"SELECT {', '.join(COLUMNS)} FROM reservations").fetchall()  # noqa: S608
    connection.close()
    return found


def _day(value: Any) -> date:
    if isinstance(value, datetime):
        return value.date()
    return value if isinstance(value, date) else date.fromisoformat(str(value)[:10])
