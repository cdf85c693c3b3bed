"""The table of answers that are kept for a while."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import asdict, dataclass
from datetime import timedelta
from typing import Any, Final, cast

from sqlalchemy import Table, delete, exists, func, select, tuple_
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from aispine.store.database import Store
from aispine.store.models import CachedAnswerRow, ExecutionRow


@dataclass(frozen=True, kw_only=True, slots=True)
class CachedAnswer:
    """An answer, whom it belongs to, and the execution that it comes from."""

    tenant_id: str
    key: str
    execution_id: str
    output: Any
    message: str | None
    metadata: Mapping[str, Any]


_TABLE: Final = cast("Table", CachedAnswerRow.__table__)
_KEY: Final = (CachedAnswerRow.tenant_id, CachedAnswerRow.key)


def find(store: Store, tenant_id: str, key: str) -> CachedAnswer | None:
    """The answer under a tenant's key, while its time is not over."""
    live = CachedAnswerRow.expires_at > func.clock_timestamp()
    with store.session(None) as session:
        row = session.scalar(
            select(CachedAnswerRow).where(CachedAnswerRow.tenant_id == tenant_id, _KEY[1] == key, live)
        )
        return None if row is None else _value(row)


def put(store: Store, answer: CachedAnswer, seconds: float) -> None:
    """Keeps an answer for so many seconds; it takes the place of the one before.

    That of an execution that is gone is not kept: an agent may answer after its person was erased.
    """
    values = asdict(answer) | {"expires_at": func.clock_timestamp() + timedelta(seconds=seconds)}
    added = insert(_TABLE).values(values)
    changed = {name: value for name, value in values.items() if name not in {"tenant_id", "key"}}
    # Whoever deletes the execution waits for this answer, and then finds it.
    there = select(ExecutionRow.execution_id).filter_by(execution_id=answer.execution_id)
    with store.session(None) as session:
        if session.scalar(there.with_for_update(read=True, key_share=True)) is not None:
            session.execute(added.on_conflict_do_update(index_elements=["tenant_id", "key"], set_=changed))


def forget(session: Session, *, limit: int) -> int:
    """Deletes up to `limit` answers whose time is over; returns how many went."""
    over = select(*_KEY).where(CachedAnswerRow.expires_at <= func.clock_timestamp()).limit(limit)
    gone = delete(CachedAnswerRow).where(tuple_(*_KEY).in_(over)).returning(CachedAnswerRow.key)
    return len(session.scalars(gone.execution_options(synchronize_session=False)).all())


def forget_with(session: Session, execution_ids: Collection[str]) -> int:
    """Deletes the answers that come from those of the executions that are gone; returns how many went."""
    there = exists().where(ExecutionRow.execution_id == CachedAnswerRow.execution_id)
    gone = delete(CachedAnswerRow).where(CachedAnswerRow.execution_id.in_(execution_ids), ~there)
    found: Any = session.execute(gone.execution_options(synchronize_session=False))
    return int(found.rowcount)


def _value(row: CachedAnswerRow) -> CachedAnswer:
    return CachedAnswer(
        tenant_id=row.tenant_id,
        key=row.key,
        execution_id=row.execution_id,
        output=row.output,
        message=row.message,
        metadata=row.metadata_,
    )
