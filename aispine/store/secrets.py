"""The table of secrets. Every statement names the tenant, since the engine's login sees them all."""

from __future__ import annotations

from collections.abc import Collection, Sequence

from sqlalchemy import delete, func, select
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from aispine.store.models import SecretRow


def put(session: Session, tenant_id: str, name: str, ciphertext: str) -> SecretRow:
    """Adds the secret, or replaces it."""
    statement = insert(SecretRow).values(tenant_id=tenant_id, name=name, ciphertext=ciphertext)
    replaced = statement.on_conflict_do_update(
        index_elements=["tenant_id", "name"], set_={"ciphertext": ciphertext, "updated_at": func.clock_timestamp()}
    )
    return session.scalars(replaced.returning(SecretRow), execution_options={"populate_existing": True}).one()


def rows(session: Session, tenant_id: str, *, after: str | None, limit: int) -> Sequence[SecretRow]:
    """The tenant's secrets by name."""
    statement = select(SecretRow).where(SecretRow.tenant_id == tenant_id).order_by(SecretRow.name).limit(limit)
    if after is not None:
        statement = statement.where(SecretRow.name > after)
    return session.scalars(statement).all()


def named(session: Session, tenant_id: str, names: Collection[str]) -> dict[str, str]:
    """The ciphertexts of those that there are, by name."""
    where = (SecretRow.tenant_id == tenant_id, SecretRow.name.in_(names))
    return {row.name: row.ciphertext for row in session.scalars(select(SecretRow).where(*where))}


def remove(session: Session, tenant_id: str, name: str) -> bool:
    """Deletes the secret; False when there is none."""
    where = (SecretRow.tenant_id == tenant_id, SecretRow.name == name)
    return session.scalar(delete(SecretRow).where(*where).returning(SecretRow.name)) is not None
