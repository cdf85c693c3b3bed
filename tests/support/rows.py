"""Everything that the database holds of a tenant."""

from __future__ import annotations

from sqlalchemy import text

from aispine.store.database import Store
from aispine.store.models import Base


def everything(store: Store, tenant: str) -> str:
    """All rows of the tenant in all tables, the pieces of files among them, as text."""
    with store.session(None) as session:
        rows = [
            str(row)
            for table in Base.metadata.sorted_tables
            # A whole row would be shown shortened.
            for row in session.scalars(text(f"SELECT t::text FROM {table.name} t WHERE tenant_id = :t"), {"t": tenant})
        ]
    return "\n".join(rows)
