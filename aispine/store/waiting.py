"""The nodes that wait for a person, as a list shows them."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import literal, select, tuple_
from sqlalchemy.orm import Session

from aispine.store.models import ExecutionRow, NodeExecutionRow

Place = tuple[datetime, str, str]
"""Since when a node waits, its execution and its path: what the list is ordered by."""


def approvals(
    session: Session, tenant_id: str, *, after: Place | None, execution_id: str | None, limit: int
) -> Sequence[tuple[NodeExecutionRow, ExecutionRow]]:
    """Waiting approvals with their executions, those that have waited longest first, from the one after `after` on."""
    node = NodeExecutionRow
    order: Any = (node.started_at, node.execution_id, node.path)
    statement = (
        select(node, ExecutionRow)
        .join(ExecutionRow, ExecutionRow.execution_id == node.execution_id)
        .where(node.tenant_id == tenant_id, node.status == "waiting", node.state["for"].as_string() == "approval")
    )
    if execution_id is not None:
        statement = statement.where(node.execution_id == execution_id)
    if after is not None:
        moment, execution, path = after
        statement = statement.where(tuple_(*order) > tuple_(moment, literal(execution, node.execution_id.type), path))
    rows = session.execute(statement.order_by(*order).limit(limit))
    return [(row[0], row[1]) for row in rows]
