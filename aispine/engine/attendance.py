"""The workers as people see them, and asking one to drain or to go on."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Final

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from aispine.engine.surroundings import is_live
from aispine.errors import Conflict, InvalidRequest, NotFound
from aispine.store import workers
from aispine.store.models import NodeExecutionRow, WorkerRow

_MOST_NODES: Final = 1000


class WorkerState(StrEnum):
    """`draining` finishes what it runs, `drained` has done so, `lost` has said nothing for some heartbeats."""

    ACTIVE = "active"
    DRAINING = "draining"
    DRAINED = "drained"
    LOST = "lost"


@dataclass(frozen=True, kw_only=True, slots=True)
class HeldNode:
    """A node that a worker runs now; `seconds` since it began."""

    execution_id: str
    path: str
    attempt: int
    started_at: datetime | None
    seconds: float


@dataclass(frozen=True, kw_only=True, slots=True)
class WorkerView:
    """A worker, or beat; `nodes` are those that the reader's session may see, `busy` counts all."""

    worker_id: str
    name: str
    host: str
    pid: int
    pool: str
    state: WorkerState
    queues: tuple[str, ...]
    slots: int
    busy: int
    free: int
    nodes: tuple[HeldNode, ...]
    version: str
    started_at: datetime
    heartbeat_at: datetime
    heartbeat_seconds: float
    """How long ago it spoke last."""


def list_workers(session: Session, heartbeat: float) -> tuple[WorkerView, ...]:
    """Every worker heard of in the last minutes, by name; `heartbeat` is how often each speaks, in seconds."""
    now = session.scalars(select(func.clock_timestamp())).one()
    held = _by_process(workers.running_nodes(session, _MOST_NODES), now)
    return tuple(_view(row, now, heartbeat, held) for row in workers.rows(session))


def show(session: Session, worker: str, heartbeat: float) -> WorkerView:
    """The worker of that id or name. Raises `NotFound`, or `Conflict` when several have the name."""
    found = [each for each in list_workers(session, heartbeat) if worker in {each.worker_id, each.name}]
    if not found:
        raise NotFound(f"There is no worker `{worker[:200]}`", field="worker_id", hint="See `aispine worker list`.")
    if len(found) > 1:
        ids = ", ".join(each.worker_id for each in found)
        raise Conflict(f"Several workers have the name `{worker}`", hint=f"Name one by its id: {ids}.")
    return found[0]


def drain(session: Session, worker: str, heartbeat: float, *, wanted: bool = True) -> WorkerView:
    """Asks a worker to take no more messages, or to take them again; it does so at its next heartbeat.

    Raises as `show`, `InvalidRequest` for beat, which takes none, and `Conflict` for a worker that is lost.
    """
    found = show(session, worker, heartbeat)
    if not found.queues:
        raise InvalidRequest(f"`{found.name}` takes no messages", field="worker_id", hint="Stop it instead.")
    if found.state is WorkerState.LOST:
        raise Conflict(f"`{found.name}` has said nothing for {found.heartbeat_seconds:.0f} s")
    workers.ask_to_drain(session, found.worker_id, drain=wanted)
    session.flush()
    session.expire_all()
    return show(session, found.worker_id, heartbeat)


_Held = Mapping[tuple[str, int], Sequence[HeldNode]]


def _by_process(rows: Sequence[NodeExecutionRow], now: datetime) -> _Held:
    held: defaultdict[tuple[str, int], list[HeldNode]] = defaultdict(list)
    for row in rows:
        host, pid, _ = str(row.lease_owner).rsplit(":", 2)
        held[host, int(pid)].append(_held(row, now))
    return held


def _held(row: NodeExecutionRow, now: datetime) -> HeldNode:
    return HeldNode(
        execution_id=row.execution_id,
        path=row.path,
        attempt=row.attempt,
        started_at=row.started_at,
        seconds=(now - (row.started_at or now)).total_seconds(),
    )


def _view(row: WorkerRow, now: datetime, heartbeat: float, held: _Held) -> WorkerView:
    return WorkerView(
        worker_id=row.worker_id,
        name=row.name,
        host=row.host,
        pid=row.pid,
        pool=row.pool,
        state=_state(row, now, heartbeat),
        queues=tuple(row.queues),
        slots=row.slots,
        busy=row.busy,
        free=max(row.slots - row.busy, 0),
        nodes=tuple(node for pid in row.processes for node in held.get((row.host, pid), ())),
        version=row.version,
        started_at=row.started_at,
        heartbeat_at=row.heartbeat_at,
        heartbeat_seconds=round(max((now - row.heartbeat_at).total_seconds(), 0.0), 3),
    )


def _state(row: WorkerRow, now: datetime, heartbeat: float) -> WorkerState:
    if not is_live(row, now, heartbeat):
        return WorkerState.LOST
    if row.drain_requested_at is None:
        return WorkerState.ACTIVE
    return WorkerState.DRAINING if row.busy or row.consuming else WorkerState.DRAINED
