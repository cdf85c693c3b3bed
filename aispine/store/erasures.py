"""The table of what was erased of people."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from datetime import datetime

from sqlalchemy import exists, select
from sqlalchemy.orm import Session

from aispine.store.ids import new_id
from aispine.store.models import ErasureRow


def record(
    session: Session, tenant_id: str, fingerprints: Sequence[str], by: str, counts: Mapping[str, int]
) -> ErasureRow:
    """Records that whoever these stand for was erased, with what went."""
    row = ErasureRow(
        erasure_id=new_id(), tenant_id=tenant_id, fingerprints=list(fingerprints), erased_by=by, counts=dict(counts)
    )
    session.add(row)
    session.flush()
    session.refresh(row)
    return row


def page(
    session: Session, tenant_id: str, *, of: Collection[str] | None, after: str | None, limit: int
) -> Sequence[ErasureRow]:
    """Erasures in their order from the one after `after` on; only of these fingerprints when they are given."""
    statement = select(ErasureRow).where(ErasureRow.tenant_id == tenant_id)
    if of is not None:
        statement = statement.where(ErasureRow.fingerprints.overlap(list(of)))
    if after is not None:
        statement = statement.where(ErasureRow.erasure_id > after)
    return session.scalars(statement.order_by(ErasureRow.erasure_id).limit(limit)).all()


def since(session: Session, tenant_id: str, fingerprints: Collection[str], moment: datetime) -> bool:
    """True when one of them was erased at the moment or later."""
    same = (ErasureRow.tenant_id == tenant_id, ErasureRow.fingerprints.overlap(list(fingerprints)))
    return bool(session.scalar(select(exists().where(*same, ErasureRow.erased_at >= moment))))
