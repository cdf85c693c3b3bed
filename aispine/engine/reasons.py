"""Why a node does not run, or where it runs: what a row, the rest of its execution and the workers tell. Pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any, Final

from aispine.engine.ending import BLOCKED, GUARD, NO_LIVE_EDGE
from aispine.flow import paths
from aispine.flow.plan import Plan
from aispine.flow.status import NodeStatus
from aispine.store.call_slots import Place
from aispine.store.models import NodeExecutionRow

NOT_REACHED: Final = "the execution ended before it"
_SKIPPED: Final = {
    BLOCKED: "what it depends on failed",
    GUARD: "its condition does not hold",
    NO_LIVE_EDGE: "no way that was taken leads to it",
}
_NAMED: Final = 5
"""How many nodes a reason names before it counts the rest."""
_MISSED: Final = 2.5
"""Heartbeats without a renewal after which a worker counts as lost; the first one may take one and a half."""


@dataclass(frozen=True, kw_only=True, slots=True)
class WaitingFor:
    """What a node waits for: `kind` is `nodes`, `worker`, `turn`, `slot`, `retry`, `resume` before it runs, else as its
    type has it: `timer`, `signal`, `approval`, `mutex`, `callback` or `child`.

    `name` is that of the signal, the mutex, or the agent that has no free slot; `held_by` the path that holds the
    mutex, `execution_id` and `status` the child's; `due_at` is when the waiting ends of itself. `nodes` are those whose
    ends are awaited; `queue` holds the message, behind at most `ahead` others where that is known. Of a slot, `ahead`
    stand before it in the line.
    """

    kind: str
    name: str | None = None
    execution_id: str | None = None
    status: str | None = None
    due_at: datetime | None = None
    nodes: tuple[str, ...] = ()
    queue: str | None = None
    ahead: int | None = None
    held_by: str | None = None


@dataclass(frozen=True, kw_only=True, slots=True)
class Reason:
    """A line for people, and the same for programs where the node waits for something."""

    text: str
    waiting_for: WaitingFor | None = None


@dataclass(frozen=True, kw_only=True, slots=True)
class Server:
    """A worker as far as it matters here: where it runs, what it serves, whether it takes messages."""

    name: str
    host: str
    processes: frozenset[int]
    queues: tuple[str, ...]
    slots: int
    busy: int
    live: bool
    consuming: bool


@dataclass(frozen=True, kw_only=True, slots=True)
class Situation:
    """All that bears on the nodes of one execution that has not ended; `lengths` are those of queues, where known."""

    now: datetime
    plan: Plan
    statuses: Mapping[str, NodeStatus]
    started: bool = True
    paused_at: datetime | None = None
    mutexes: Mapping[str, Sequence[str]] = field(default_factory=dict)
    children: Mapping[str, str] = field(default_factory=dict)
    servers: Sequence[Server] = ()
    lengths: Mapping[str, int] = field(default_factory=dict)
    places: Mapping[str, Place] = field(default_factory=dict)
    """Where nodes stand in the lines of agents that take so many calls at once."""
    lease: float = 10.0
    heartbeat: float = 3.0


def untouched(path: str, situation: Situation) -> Reason | None:
    """Why a node that has no row, or is pending, has not been made ready."""
    if paths.is_frame(path):
        return Reason(text=f"waits for its turn in `{paths.container_of(path)}`")
    if not situation.started and not paths.frame_of(path):
        return Reason(text="the execution has not been started yet")
    nodes = _unsettled(path, situation)
    if not nodes:
        return None
    rest = len(nodes) - _NAMED
    text = ", ".join(f"`{name}`" for name in nodes[:_NAMED]) + (f" and {rest} more" if rest > 0 else "")
    return Reason(text=f"waits for {text}", waiting_for=WaitingFor(kind="nodes", nodes=nodes))


def of_row(row: NodeExecutionRow, situation: Situation) -> Reason | None:
    """Why the node of a row stands where it does; None when it has run, or when there is nothing to say."""
    status = NodeStatus(row.status)
    if situation.paused_at is not None and _is_stopped(row, status):
        found = WaitingFor(kind="resume") if status is not NodeStatus.WAITING else waiting_for(row, situation)
        return Reason(text=f"the execution is paused since {_clock(situation.paused_at, situation)}", waiting_for=found)
    tell = _TELL.get(status)
    return tell(row, situation) if tell is not None else None


def of_skipped(row: NodeExecutionRow) -> Reason | None:
    """Why the node of a row never ran; None for any other."""
    if row.status != NodeStatus.SKIPPED:
        return None
    text = _SKIPPED.get((row.state or {}).get("reason", ""))
    return None if text is None else Reason(text=text)


def waiting_for(row: NodeExecutionRow, situation: Situation) -> WaitingFor:
    """What a waiting node waits for."""
    state = row.state or {}
    child, mutex = state.get("child"), state.get("mutex")
    if child is not None:
        deadline = state.get("deadline")
        due_at = datetime.fromisoformat(deadline) if deadline else None
        return WaitingFor(kind="child", execution_id=child, status=situation.children.get(child), due_at=due_at)
    line = situation.mutexes.get(mutex, ()) if mutex else ()
    return WaitingFor(
        kind=str(state.get("for", "timer")),
        name=state.get("signal") or mutex,
        due_at=row.due_at,
        held_by=line[0] if line else None,
    )


def _is_stopped(row: NodeExecutionRow, status: NodeStatus) -> bool:
    """True for what a pause keeps from going on; what runs may finish."""
    open_ = {NodeStatus.QUEUED, NodeStatus.RETRYING, NodeStatus.WAITING}
    return status in open_ and not paths.is_frame(row.path)


def _pending(row: NodeExecutionRow, situation: Situation) -> Reason | None:
    return untouched(row.path, situation)


def _queued(row: NodeExecutionRow, situation: Situation) -> Reason | None:
    if row.queue is None:
        return None
    place = situation.places.get(row.path)
    if place is not None:
        return _in_line(place)
    if row.queued_at is not None and row.queued_at > situation.now:
        text = f"waits its turn until {_clock(row.queued_at, situation)}, since its calls are limited"
        return Reason(text=text, waiting_for=WaitingFor(kind="turn", due_at=row.queued_at))
    length = situation.lengths.get(row.queue)
    ahead = None if length is None else max(length - 1, 0)  # One of them is the node's own.
    behind = f" behind {ahead:,}" if ahead else ""
    since = _seconds(situation.now - (row.queued_at or situation.now))
    text = f"queued {since}{behind} in `{row.queue}`{_service(row.queue, situation.servers)}"
    return Reason(text=text, waiting_for=WaitingFor(kind="worker", queue=row.queue, ahead=ahead))


def _in_line(place: Place) -> Reason:
    others = "another" if place.ahead == 1 else f"{place.ahead:,} others"
    behind = f", behind {others}" if place.ahead else ""
    most = "one call" if place.max_concurrency == 1 else f"{place.max_concurrency:,} calls"
    text = f"waits for a slot of `{place.agent_id}`, which takes {most} at once (slot limit){behind}"
    return Reason(text=text, waiting_for=WaitingFor(kind="slot", name=place.agent_id, ahead=place.ahead))


def _service(queue: str, servers: Sequence[Server]) -> str:
    serving = [server for server in servers if queue in server.queues and server.live]
    taking = [server for server in serving if server.consuming]
    slots = sum(server.slots for server in taking)
    if not serving:
        return ", which no worker serves"
    if not taking:
        return ", whose workers all drain"
    return f", all {slots} slots busy" if sum(server.busy for server in taking) >= slots else ""


def _retrying(row: NodeExecutionRow, situation: Situation) -> Reason:
    error = row.error or {}
    after = ": ".join(str(error[key]) for key in ("code", "message") if error.get(key))
    text = f"retry at {_clock(row.due_at, situation)}" if row.due_at else "will be tried again"
    return Reason(
        text=f"{text} after {after}" if after else text, waiting_for=WaitingFor(kind="retry", due_at=row.due_at)
    )


def _running(row: NodeExecutionRow, situation: Situation) -> Reason | None:
    if row.lease_owner is None:
        return None
    name = _server(row.lease_owner, situation.servers)
    silent = situation.lease - (row.due_at - situation.now).total_seconds() if row.due_at else 0.0
    if silent > _MISSED * situation.heartbeat:
        return Reason(text=f"worker {name} lost {_seconds(timedelta(seconds=silent))} ago")
    return Reason(text=f"on {name} since {_clock(row.started_at, situation)}")


def _server(owner: str, servers: Sequence[Server]) -> str:
    """The worker that a lease's owner belongs to, with the process."""
    host, pid, _ = owner.rsplit(":", 2)
    for server in servers:
        if server.host == host and int(pid) in server.processes:
            return f"{server.name} (pid {pid})"
    return f"{host} (pid {pid})"


def _waiting(row: NodeExecutionRow, situation: Situation) -> Reason:
    found = waiting_for(row, situation)
    until = f" until {_clock(found.due_at, situation)}" if found.due_at else ""
    return Reason(text=_WAITS.get(found.kind, _other)(row, found, situation) + until, waiting_for=found)


def _approval(row: NodeExecutionRow, _found: WaitingFor, situation: Situation) -> str:
    return f"approval pending since {_clock(row.started_at, situation)}"


def _signal(_row: NodeExecutionRow, found: WaitingFor, _situation: Situation) -> str:
    return f"waits for the signal `{found.name}`"


def _mutex(_row: NodeExecutionRow, found: WaitingFor, _situation: Situation) -> str:
    return f"waits for the mutex `{found.name}`" + (f", held by `{found.held_by}`" if found.held_by else "")


def _child(_row: NodeExecutionRow, found: WaitingFor, _situation: Situation) -> str:
    return f"waits for execution {found.execution_id}" + (f", which is {found.status}" if found.status else "")


def _callback(row: NodeExecutionRow, _found: WaitingFor, _situation: Situation) -> str:
    return f"attempt {row.attempt} was accepted by the agent, which calls back"


def _other(_row: NodeExecutionRow, found: WaitingFor, _situation: Situation) -> str:
    return "waits" if found.due_at else f"waits for {found.kind}"


_WAITS: Final = {"approval": _approval, "signal": _signal, "mutex": _mutex, "child": _child, "callback": _callback}
_TELL: Final[Mapping[NodeStatus, Any]] = {
    NodeStatus.PENDING: _pending,
    NodeStatus.QUEUED: _queued,
    NodeStatus.RETRYING: _retrying,
    NodeStatus.RUNNING: _running,
    NodeStatus.WAITING: _waiting,
}


def _unsettled(path: str, situation: Situation) -> tuple[str, ...]:
    sources = dict.fromkeys(edge.source for edge in situation.plan.incoming(path))
    return tuple(name for name in sources if not situation.statuses.get(name, NodeStatus.PENDING).terminal)


def _clock(moment: datetime | None, situation: Situation) -> str:
    """A moment in UTC: of today by its time alone."""
    if moment is None:
        return "some time"
    moment, today = moment.astimezone(situation.now.tzinfo), situation.now.date()
    return moment.strftime("%H:%M:%S UTC" if moment.date() == today else "%Y-%m-%d %H:%M:%S UTC")


def _seconds(time: timedelta) -> str:
    return f"{max(0, round(time.total_seconds()))} s"
