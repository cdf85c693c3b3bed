"""Every column that holds something encrypted, whatever its table: those whose model is marked as sealed."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any, Final

from sqlalchemy import Column, and_, select, tuple_, update
from sqlalchemy.orm import Session

from aispine.store.models import Base

BATCH: Final = 200
Place = tuple[Any, ...]
"""The primary key of a row."""


def columns() -> Iterator[Column[Any]]:
    """The sealed columns, by table and name."""
    for table in Base.metadata.sorted_tables:
        yield from (column for column in table.columns if column.info.get("sealed"))


def replace(
    session: Session, column: Column[Any], after: Place | None, change: Callable[[str], str | None]
) -> tuple[int, Place | None]:
    """Replaces the values of the next rows by what `change` makes of them, None leaving one as it is.

    Returns how many were changed, and the last row's key, None when there are no more. Needs the engine's login.
    """
    keys = tuple(column.table.primary_key.columns)
    statement = select(*keys, column.label("sealed")).where(column.is_not(None)).order_by(*keys).limit(BATCH)
    if after is not None:
        statement = statement.where(tuple_(*keys) > after)
    changed, last = 0, None
    for *place, sealed in session.execute(statement.with_for_update()):
        last = tuple(place)
        new = change(sealed)
        if new is not None:
            where = and_(*(key == value for key, value in zip(keys, place, strict=True)))
            session.execute(update(column.table).where(where).values({column: new}))
            changed += 1
    return changed, last
