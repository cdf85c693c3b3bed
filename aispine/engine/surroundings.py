"""What stands around the nodes of an execution: its plan, its children, the workers and their queues."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from aispine import catalog
from aispine.engine.reasons import Server, Situation
from aispine.flow.plan import plan
from aispine.flow.status import ExecutionStatus, NodeStatus
from aispine.store import call_slots, executions, workers
from aispine.store.models import ExecutionRow, NodeExecutionRow, WorkerRow

SILENT: Final = 4.0
"""Heartbeats after which a worker that has said nothing counts as lost."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Surroundings:
    """What the caller knows of the platform: `lengths` asks the broker, only if a node waits for a worker."""

    lengths: Callable[[], Mapping[str, int]] = dict
    lease: float = 10.0
    heartbeat: float = 3.0


def situation(
    session: Session, execution: ExecutionRow, rows: Sequence[NodeExecutionRow], around: Surroundings
) -> Situation | None:
    """The situation of an execution's nodes; None once it has ended."""
    if ExecutionStatus(execution.status).terminal:
        return None
    now = session.scalars(select(func.clock_timestamp())).one()
    queued = any(row.status == NodeStatus.QUEUED for row in rows)
    return Situation(
        now=now,
        plan=plan(catalog.load_flow(session, execution.flow_version_id)),
        statuses={row.path: NodeStatus(row.status) for row in rows},
        started=execution.started_at is not None,
        paused_at=execution.paused_at,
        mutexes=execution.mutexes or {},
        children=_children(session, rows),
        servers=[server(row, now, around.heartbeat) for row in workers.rows(session)],
        lengths=around.lengths() if queued else {},
        places=call_slots.places(session, execution.execution_id) if queued else {},
        lease=around.lease,
        heartbeat=around.heartbeat,
    )


def is_live(row: WorkerRow, now: datetime, heartbeat: float) -> bool:
    return now - row.heartbeat_at <= timedelta(seconds=SILENT * heartbeat)


def server(row: WorkerRow, now: datetime, heartbeat: float) -> Server:
    return Server(
        name=row.name,
        host=row.host,
        processes=frozenset(row.processes),
        queues=tuple(row.queues),
        slots=row.slots,
        busy=row.busy,
        live=is_live(row, now, heartbeat),
        consuming=row.consuming,
    )


def _children(session: Session, rows: Sequence[NodeExecutionRow]) -> Mapping[str, str]:
    waited = [(row.state or {}).get("child") for row in rows if row.status == NodeStatus.WAITING]
    return executions.statuses(session, [child for child in waited if child])
