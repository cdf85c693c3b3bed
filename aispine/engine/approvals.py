"""What waits for a person: every approval of a tenant that has no answer yet."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy.orm import Session

from aispine import catalog
from aispine.engine import cursors, node_views, privacy
from aispine.engine.views import Page
from aispine.store import waiting
from aispine.store.ids import is_id
from aispine.store.models import ExecutionRow, NodeExecutionRow


@dataclass(frozen=True, kw_only=True, slots=True)
class ApprovalView:
    """An approval that waits: `input` is what the person is shown, `form` the JSON Schema of the answer, if any.

    `due_at` is None when it waits without end, or while its execution is paused.
    """

    execution_id: str
    flow_id: str
    version: str
    path: str
    node_id: str
    name: str | None
    description: str | None
    input: Any
    form: Mapping[str, Any] | None
    waiting_since: datetime
    due_at: datetime | None


def list_approvals(
    session: Session, tenant_id: str, *, execution_id: str | None = None, cursor: str | None = None, limit: int = 50
) -> Page:
    """Waiting approvals, the longest first. Raises `InvalidRequest` for a cursor that is none of ours."""
    if execution_id is not None and not is_id(execution_id):
        return Page(data=(), next_cursor=None)
    after = _place(cursor) if cursor else None
    rows = waiting.approvals(session, tenant_id, after=after, execution_id=execution_id, limit=limit + 1)
    shown = tuple(_view(session, node, execution) for node, execution in rows[:limit])
    last = shown[-1] if len(rows) > limit else None
    following = cursors.encode(last.waiting_since, last.execution_id, last.path) if last else None
    return Page(data=shown, next_cursor=following)


def _place(cursor: str) -> waiting.Place:
    moment, (execution_id, path) = cursors.decode(cursor, names=1)
    return moment, execution_id, path


def _view(session: Session, node: NodeExecutionRow, execution: ExecutionRow) -> ApprovalView:
    nodes = catalog.load_flow(session, execution.flow_version_id).nodes
    spec = next(each for each in node_views.with_bodies(nodes) if each.id == node.node_id)
    return ApprovalView(
        execution_id=execution.execution_id,
        flow_id=execution.flow_id,
        version=execution.version,
        path=node.path,
        node_id=node.node_id,
        name=spec.name,
        description=spec.description,
        input=privacy.of(session, execution).veil.hide(node.input),
        form=spec.approval.form if spec.approval else None,
        waiting_since=node.started_at or execution.created_at,
        due_at=node.due_at,
    )
