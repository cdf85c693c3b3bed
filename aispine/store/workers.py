"""The table of workers: written by each of them every few seconds, read by everybody."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from sqlalchemy import func, select, update
from sqlalchemy.orm import Session

from aispine.store.database import Store
from aispine.store.models import NodeExecutionRow, WorkerRow
from aispine.store.prepared import Statement

_BEAT: Final = Statement(
    "worker_beat",
    "text, text, text, int, text, text[], int, int, int[], boolean, text, timestamptz",
    """
    INSERT INTO workers AS w (worker_id, name, host, pid, pool, queues, slots, busy, processes, consuming, version,
                              started_at, heartbeat_at)
    VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, clock_timestamp())
    ON CONFLICT (worker_id) DO UPDATE SET slots = excluded.slots, busy = excluded.busy,
      processes = excluded.processes, consuming = excluded.consuming, heartbeat_at = excluded.heartbeat_at
    RETURNING w.drain_requested_at IS NOT NULL AS draining
    """,
)
_LEAVE: Final = Statement("worker_leaves", "text", "DELETE FROM workers WHERE worker_id = $1")
_FORGET: Final = Statement(
    "forget_workers",
    "double precision",
    "DELETE FROM workers WHERE heartbeat_at < clock_timestamp() - $1 * interval '1 second' RETURNING name",
)


@dataclass(frozen=True, kw_only=True, slots=True)
class Presence:
    """What a worker says of itself; `processes` are the pids that run its nodes."""

    worker_id: str
    name: str
    host: str
    pid: int
    pool: str
    started_at: datetime
    version: str = ""
    queues: tuple[str, ...] = ()
    slots: int = 0
    busy: int = 0
    processes: tuple[int, ...] = ()
    consuming: bool = True


def beat(store: Store, presence: Presence) -> bool:
    """Writes that the worker lives; True when it is to take no more messages."""
    with store.autocommit() as link:
        row = _BEAT.one(
            link,
            presence.worker_id,
            presence.name,
            presence.host,
            presence.pid,
            presence.pool,
            list(presence.queues),
            presence.slots,
            presence.busy,
            list(presence.processes),
            presence.consuming,
            presence.version,
            presence.started_at,
        )
    return bool(row.draining)


def leave(store: Store, worker_id: str) -> None:
    """Takes a worker away that has stopped."""
    with store.autocommit() as link:
        _LEAVE.run(link, worker_id)


def forget(store: Store, seconds: float) -> Sequence[str]:
    """Takes those away that have said nothing for so long; returns their names."""
    with store.autocommit() as link:
        return [row.name for row in _FORGET.all(link, seconds)]


def rows(session: Session) -> Sequence[WorkerRow]:
    """Every worker, by name."""
    return session.scalars(select(WorkerRow).order_by(WorkerRow.name, WorkerRow.worker_id)).all()


def ask_to_drain(session: Session, worker_id: str, *, drain: bool) -> None:
    """Notes whether the worker is to take no more messages."""
    moment = func.now() if drain else None
    session.execute(update(WorkerRow).where(WorkerRow.worker_id == worker_id).values(drain_requested_at=moment))


def running_nodes(session: Session, limit: int) -> Sequence[NodeExecutionRow]:
    """Nodes that hold a lease, the oldest lease first, as far as the session may see them."""
    node = NodeExecutionRow
    held = (node.due_at.is_not(None), node.status == "running", node.lease_owner.is_not(None))
    return session.scalars(select(node).where(*held).order_by(node.due_at).limit(limit)).all()
