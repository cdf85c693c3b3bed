"""Cancelling an execution at any point."""

from __future__ import annotations

from aispine.engine.advance import advance
from aispine.engine.facts import CancelRequested
from aispine.engine.terms import Terms
from aispine.errors import Conflict, NotFound
from aispine.flow.status import ExecutionStatus
from aispine.store.database import Store


def cancel(store: Store, tenant_id: str, execution_id: str, reason: str | None = None) -> None:
    """Cancels the tenant's execution and all of its nodes that have not ended; again is no error.

    Raises `NotFound`, and `Conflict` when the execution has ended otherwise.
    """
    facts = [CancelRequested(reason=reason)]
    transition = advance(store, execution_id, facts, Terms(owner="cancel"), tenant_id=tenant_id)
    if transition is None:
        raise NotFound(f"there is no execution {execution_id}", field="execution_id")
    status = transition.execution.status
    if status is not ExecutionStatus.CANCELLED:
        raise Conflict(
            f"the execution has already ended: {status}", hint="Only one that has not ended can be cancelled."
        )
