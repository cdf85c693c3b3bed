"""The audit of calls, which is written a moment after they were made."""

from __future__ import annotations

from collections.abc import Sequence

from aispine.store import calls
from aispine.store.calls import CallFilter
from aispine.store.database import Store
from aispine.store.models import CallRow
from tests.support.polling import eventually


def audited(store: Store, tenant_id: str, execution_id: str, count: int) -> Sequence[CallRow]:
    """The calls of an execution, the oldest first, once there are so many."""

    def found() -> Sequence[CallRow] | None:
        with store.session(tenant_id) as session:
            rows = calls.page(session, tenant_id, CallFilter(execution_id=execution_id), limit=count + 1)
        return rows if len(rows) >= count else None

    return sorted(eventually(found, 10, f"{count} calls"), key=lambda call: (call.begun_at, call.kind))
