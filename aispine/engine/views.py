"""Executions as people see them: read from the store, changed by nobody."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields, replace
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy.orm import Session

from aispine import catalog
from aispine.engine import cursors, node_views, privacy
from aispine.engine.node_views import NodeView
from aispine.engine.privacy import Privacy
from aispine.engine.surroundings import Surroundings, situation
from aispine.engine.unknown import unknown_execution
from aispine.events import log
from aispine.events.log import LoggedEvent
from aispine.flow.status import ExecutionStatus
from aispine.store import executions, flows, node_results
from aispine.store.executions import Filter
from aispine.store.ids import is_id
from aispine.store.models import ExecutionRow
from aispine.store.node_results import Usage


@dataclass(frozen=True, kw_only=True, slots=True)
class Metrics:
    """What an execution cost so far; None where nobody told. `cost_usd` and `token_usage` add up the nodes' own."""

    duration_ms: int | None
    cost_usd: float | None
    token_usage: int | None


@dataclass(frozen=True, kw_only=True, slots=True)
class ExecutionSummary:
    """An execution as a list shows it."""

    execution_id: str
    flow_id: str
    version: str
    status: ExecutionStatus
    created_at: datetime
    started_at: datetime | None
    finished_at: datetime | None
    error: Mapping[str, Any] | None
    labels: Mapping[str, str]
    correlation_id: str | None
    parent_execution_id: str | None
    parent_path: str | None
    rerun_of: str | None
    schedule_id: str | None
    paused_at: datetime | None
    metrics: Metrics


@dataclass(frozen=True, kw_only=True, slots=True)
class ExecutionView(ExecutionSummary):
    """One execution with what went in and what came out."""

    input: Any
    output: Any


@dataclass(frozen=True, kw_only=True, slots=True)
class NodeLog:
    """What an agent printed and logged in one attempt."""

    path: str
    attempt: int
    text: str
    created_at: datetime


@dataclass(frozen=True, kw_only=True, slots=True)
class Page:
    """A part of a list; `next_cursor` brings the next one, None when there is none."""

    data: tuple[Any, ...]
    next_cursor: str | None


def show(session: Session, execution_id: str, *, sensitive: bool = False) -> ExecutionView:
    """The execution; what is sensitive in it is hidden unless `sensitive`, here as below. Raises `NotFound`."""
    row = _find(session, execution_id)
    return _view(row, _summaries(session, [row])[0], _privacy(session, row, sensitive))


def begun(session: Session, row: ExecutionRow) -> ExecutionView:
    """An execution that was added just now: none of its nodes has told anything yet."""
    return _view(row, _summary(row, None), _privacy(session, row, sensitive=False))


def _view(row: ExecutionRow, summary: ExecutionSummary, hidden: Privacy) -> ExecutionView:
    values = {field.name: getattr(summary, field.name) for field in fields(summary)}
    values["error"] = hidden.veil.hide(row.error)
    return ExecutionView(**values, input=hidden.input(row.input), output=hidden.veil.hide(row.output))


def _privacy(session: Session, row: ExecutionRow, sensitive: bool) -> Privacy:
    return privacy.NOTHING if sensitive else privacy.of(session, row)


def log_end(session: Session, execution_id: str) -> tuple[int, bool]:
    """The number of the execution's last event, and whether none will follow. Raises `NotFound`."""
    position = executions.position(session, execution_id) if is_id(execution_id) else None
    if position is None:
        raise unknown_execution(execution_id)
    status, last = position
    return last, ExecutionStatus(status).terminal


def list_executions(
    session: Session, tenant_id: str, wanted: Filter, *, cursor: str | None = None, limit: int = 50
) -> Page:
    """Executions, newest first. Raises `InvalidRequest` for a cursor that is none of ours."""
    before = _place(cursor) if cursor else None
    if wanted.flow_id is not None:
        flow = flows.find(session, tenant_id, wanted.flow_id)
        wanted = replace(wanted, flow_id=flow.flow_id if flow else wanted.flow_id)
    rows = executions.page(session, tenant_id, wanted, before=before, limit=limit + 1)
    shown = rows[:limit]
    return Page(
        data=tuple(_hidden(session, row, each) for row, each in zip(shown, _summaries(session, shown), strict=True)),
        next_cursor=cursors.encode(shown[-1].created_at, shown[-1].execution_id) if len(rows) > limit else None,
    )


def _hidden(session: Session, row: ExecutionRow, summary: ExecutionSummary) -> ExecutionSummary:
    """Only of what failed a list says anything that may be sensitive."""
    return summary if row.error is None else replace(summary, error=privacy.of(session, row).veil.hide(row.error))


def _place(cursor: str) -> tuple[datetime, str]:
    created_at, (execution_id,) = cursors.decode(cursor)
    return created_at, execution_id


def results(
    session: Session, execution_id: str, around: Surroundings | None = None, *, sensitive: bool = False
) -> tuple[NodeView, ...]:
    """Every node and frame of the execution in the order of the flow, bodies below their containers.

    Each that has not ended says why; `around` is what is known of the platform. Raises `NotFound`.
    """
    execution = _find(session, execution_id)
    nodes = catalog.load_flow(session, execution.flow_version_id).nodes
    rows = node_results.rows(session, execution_id)
    arranged = node_views.arrange(nodes, rows, situation(session, execution, rows, around or Surroundings()))
    hidden = _privacy(session, execution, sensitive)
    return arranged if hidden in (privacy.NOTHING, privacy.NEVER) else tuple(map(hidden.node, arranged))


def events_after(
    session: Session, execution_id: str, seq: int, limit: int, *, sensitive: bool = False
) -> tuple[LoggedEvent, ...]:
    """The execution's events that follow number `seq`. Raises `NotFound`."""
    row = _find(session, execution_id)
    found = log.read(session, execution_id, seq, limit=limit)
    hidden = _privacy(session, row, sensitive) if found else privacy.NOTHING
    return tuple(map(hidden.event, found))


def log_after(
    session: Session, execution_id: str, seq: int, limit: int, *, plain: bool = False
) -> tuple[tuple[LoggedEvent, ...], Privacy]:
    """The execution's events that follow number `seq`, as they are, and what to hide of them. Raises `NotFound`.

    `plain` when it is known from before that nothing of the execution is `ever` hidden, which saves looking again.
    """
    found = log.read(session, execution_id, seq, limit=limit)
    if plain or not found:
        return found, privacy.NEVER if plain else privacy.NOTHING
    return found, privacy.of(session, _find(session, execution_id))


def logs(
    session: Session,
    execution_id: str,
    *,
    path: str | None = None,
    node_id: str | None = None,
    sensitive: bool = False,
) -> tuple[NodeLog, ...]:
    """What the agents of the execution printed, by path and attempt. Raises `NotFound`."""
    hide = _privacy(session, _find(session, execution_id), sensitive).veil.hide
    rows = node_results.logs(session, execution_id, path=path, node_id=node_id)
    return tuple(
        NodeLog(path=row.path, attempt=row.attempt, text=hide(row.text), created_at=row.created_at) for row in rows
    )


def _find(session: Session, execution_id: str) -> ExecutionRow:
    row = executions.find(session, execution_id) if is_id(execution_id) else None
    if row is None:
        raise unknown_execution(execution_id)
    return row


def _summaries(session: Session, rows: Sequence[ExecutionRow]) -> list[ExecutionSummary]:
    ids = [row.execution_id for row in rows]
    usage = {each.execution_id: each for each in node_results.usage(session, ids)}
    return [_summary(row, usage.get(row.execution_id)) for row in rows]


def _summary(row: ExecutionRow, usage: Usage | None) -> ExecutionSummary:
    cost, tokens = (usage.cost_usd, usage.tokens) if usage else (None, None)
    metrics = Metrics(
        duration_ms=_milliseconds(row),
        cost_usd=None if cost is None else float(cost),
        token_usage=None if tokens is None else int(tokens),
    )
    return ExecutionSummary(
        execution_id=row.execution_id,
        flow_id=row.flow_id,
        version=row.version,
        status=ExecutionStatus(row.status),
        created_at=row.created_at,
        started_at=row.started_at,
        finished_at=row.finished_at,
        error=row.error,
        labels=row.labels,
        correlation_id=row.correlation_id,
        parent_execution_id=row.parent_execution_id,
        parent_path=row.parent_path,
        rerun_of=row.rerun_of,
        schedule_id=row.schedule_id,
        paused_at=row.paused_at,
        metrics=metrics,
    )


def _milliseconds(row: ExecutionRow) -> int | None:
    if row.finished_at is None:
        return None
    return (row.finished_at - (row.started_at or row.created_at)) // timedelta(milliseconds=1)
