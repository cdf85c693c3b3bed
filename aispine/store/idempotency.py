"""The table of idempotency keys: the first answer to each request that starts something, kept for 24 hours."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from typing import Any, Final

from sqlalchemy import delete, func, select, update
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from aispine.store.models import IdempotencyKeyRow

KEPT: Final = timedelta(hours=24)


@dataclass(frozen=True, kw_only=True, slots=True)
class Scope:
    """What a key is unique within."""

    tenant_id: str
    method: str
    path: str
    key: str

    def columns(self) -> dict[str, str]:
        return {"tenant_id": self.tenant_id, "method": self.method, "path": self.path, "key": self.key}


def claim(session: Session, scope: Scope, request_hash: str) -> bool:
    """Takes the key for this transaction; False when an earlier request has it.

    Waits while another transaction holds the key: until it commits (False) or rolls back (True).
    """
    fresh = {"request_hash": request_hash, "status": None, "body": None, "created_at": func.now()}
    statement = (
        insert(IdempotencyKeyRow)
        .values(**scope.columns(), request_hash=request_hash)
        .on_conflict_do_update(
            index_elements=list(scope.columns()),
            set_=fresh,
            where=IdempotencyKeyRow.created_at < func.now() - KEPT,
        )
        .returning(IdempotencyKeyRow.key)
    )
    return session.scalar(statement) is not None


def find(session: Session, scope: Scope) -> IdempotencyKeyRow | None:
    """The row of a key that `claim` did not get."""
    return session.scalar(select(IdempotencyKeyRow).filter_by(**scope.columns()))


def answer(session: Session, scope: Scope, status: int, body: Any) -> None:
    """Keeps the answer for later requests with the same key."""
    session.execute(update(IdempotencyKeyRow).filter_by(**scope.columns()).values(status=status, body=body))


def forget_old(session: Session, *, limit: int) -> int:
    """Deletes up to `limit` keys that are too old to be replayed; returns how many went."""
    old = (
        select(IdempotencyKeyRow.tenant_id, IdempotencyKeyRow.method, IdempotencyKeyRow.path, IdempotencyKeyRow.key)
        .where(IdempotencyKeyRow.created_at < func.now() - KEPT)
        .limit(limit)
        .subquery()
    )
    same = [getattr(IdempotencyKeyRow, name) == old.c[name] for name in ("tenant_id", "method", "path", "key")]
    deleted = session.scalars(delete(IdempotencyKeyRow).where(*same).returning(IdempotencyKeyRow.key))
    return len(deleted.all())
