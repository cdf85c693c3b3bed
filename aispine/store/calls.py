"""The table of calls: added to by many at a time, read by people, and forgotten after some time."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from sqlalchemy import select, text
from sqlalchemy.orm import Session

from aispine.store.database import Store, bind_tenant, dumps
from aispine.store.models import CallRow
from aispine.store.prepared import Statement

_COLUMNS: Final = {
    "tenant_id": "text",
    "call_id": "uuid",
    "kind": "text",
    "callee": "text",
    "version": "text",
    "host": "text",
    "caller": "text",
    "execution_id": "uuid",
    "path": "text",
    "attempt": "smallint",
    "begun_at": "timestamptz",
    "seconds": "double precision",
    "outcome": "text",
    "cached": "boolean",
    "input_bytes": "bigint",
    "output_bytes": "bigint",
    "tokens": "bigint",
    "cost_usd": "double precision",
}
# What is there already was written by an attempt whose answer got lost.
_ADD: Final = Statement(
    "add_calls",
    "json",
    f"""
    INSERT INTO calls ({", ".join(_COLUMNS)})
    SELECT * FROM json_to_recordset($1) AS x({", ".join(f"{name} {kind}" for name, kind in _COLUMNS.items())})
    ON CONFLICT DO NOTHING
    """,
)


@dataclass(frozen=True, kw_only=True, slots=True)
class CallFilter:
    """Which calls a list shows; None lets all pass."""

    kind: str | None = None
    callee: str | None = None
    outcome: str | None = None
    execution_id: str | None = None
    since: datetime | None = None
    until: datetime | None = None


def add(store: Store, rows: Sequence[Mapping[str, Any]], *, tenant_id: str | None = None) -> None:
    """Adds calls, each with every column; `tenant_id` is for a login that sees one tenant only."""
    with store.autocommit() as link:
        _ADD.one(link, dumps(rows), before=bind_tenant(link, tenant_id))


def page(
    session: Session, tenant_id: str, wanted: CallFilter, *, before: str | None = None, limit: int
) -> Sequence[CallRow]:
    """Calls, the newest first, from the one after the id `before` on."""
    statement = select(CallRow).where(CallRow.tenant_id == tenant_id)
    for name in ("kind", "callee", "outcome", "execution_id"):
        value = getattr(wanted, name)
        if value is not None:
            statement = statement.where(getattr(CallRow, name) == value)
    if wanted.since is not None:
        statement = statement.where(CallRow.begun_at >= wanted.since)
    if wanted.until is not None:
        statement = statement.where(CallRow.begun_at < wanted.until)
    if before is not None:
        statement = statement.where(CallRow.call_id < before)
    return session.scalars(statement.order_by(CallRow.call_id.desc()).limit(limit)).all()


def forget(session: Session, before: datetime, *, limit: int) -> int:
    """Deletes up to `limit` calls that were made before the time; returns how many went."""
    return len(session.execute(_FORGET, {"before": before, "limit": limit}).all())


_FORGET: Final = text(
    """
    DELETE FROM calls WHERE (tenant_id, call_id) IN (
      SELECT tenant_id, call_id FROM calls WHERE begun_at < :before LIMIT :limit
    ) RETURNING 1
    """
)
