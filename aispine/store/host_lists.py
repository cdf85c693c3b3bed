"""The table of tenants' lists of hosts."""

from __future__ import annotations

from collections.abc import Sequence

from sqlalchemy import func
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from aispine.store.models import HostListsRow


def find(session: Session, tenant_id: str) -> HostListsRow | None:
    """A tenant's lists; None when it has none."""
    return session.get(HostListsRow, tenant_id)


def put(session: Session, tenant_id: str, allow: Sequence[str], deny: Sequence[str]) -> None:
    """Sets both lists."""
    values = {"allow": list(allow), "deny": list(deny), "updated_at": func.clock_timestamp()}
    added = insert(HostListsRow).values(tenant_id=tenant_id, **values)
    session.execute(added.on_conflict_do_update(index_elements=["tenant_id"], set_=values))
