"""Reading what a decision needs and writing what it changes.

One call is one round trip; under autocommit a call of several statements is one transaction. `event_seq` is the version
of all that an execution holds: a write names the one it was decided on.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Final

from aispine.errors import NotFound
from aispine.flow.state import Event, ExecutionState, NodeState, Reading, Signal, Transition
from aispine.flow.status import ExecutionStatus, NodeStatus
from aispine.store import statements
from aispine.store.database import bind_tenant, dumps
from aispine.store.prepared import Link, Statement

MAX_BYTES: Final = 50_000_000
"""What one transition may write at most: many nodes that end together may each hold a large value."""


class TransitionTooLargeError(Exception):
    """What a decision changes is more than the store takes at once."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Wanted:
    """What a read is to bring besides the execution: rows by path, all that are open, all there are, kept signals."""

    paths: frozenset[str] = frozenset()
    all_open: bool = False
    everything: bool = False
    signals: bool = False
    take: str | None = None
    """The node whose input is wanted as well, because it may be run next."""

    def __or__(self, other: Wanted) -> Wanted:
        return Wanted(
            paths=self.paths | other.paths,
            all_open=self.all_open or other.all_open,
            everything=self.everything or other.everything,
            signals=self.signals or other.signals,
            take=self.take or other.take,
        )


@dataclass(frozen=True, kw_only=True, slots=True)
class Claim:
    """Nodes that this process runs now, and the execution as it stood at that moment."""

    nodes: tuple[NodeState, ...]
    execution: ExecutionState
    now: datetime


def claim(link: Link, execution_id: str, places: Sequence[str], *, owner: str, lease: float) -> Claim | None:
    """Takes queued nodes of a running execution, in their order; None when none is there to be taken.

    `lease` in seconds.
    """
    constants = _seen.get(execution_id)
    row = statements.CLAIM.one(link, execution_id, list(places), owner, lease, constants is None)
    if row is None:
        return None
    found = {node["path"]: _node(node) for node in row.nodes}
    nodes = tuple(found[path] for path in dict.fromkeys(places) if path in found)
    return Claim(nodes=nodes, execution=_execution(row, constants), now=row.now)


def lock_and_read(link: Link, execution_id: str, wanted: Wanted, *, tenant_id: str | None = None) -> Reading | None:
    """Opens a transaction that holds the execution's row, and reads; None when there is no such execution.

    The lock is a statement of its own, so that the read sees what was committed while it waited.
    """
    statements.LOCK.prepare(link)
    before = f"BEGIN; {bind_tenant(link, tenant_id)}{statements.LOCK.call(link, execution_id)}"
    return _read(link, execution_id, wanted, before=before)


def read(link: Link, execution_id: str, wanted: Wanted) -> Reading:
    """Reads once more inside the transaction of `lock_and_read`."""
    reading = _read(link, execution_id, wanted)
    if reading is None:
        raise NotFound(f"execution {execution_id} is gone")
    return reading


def _read(link: Link, execution_id: str, wanted: Wanted, *, before: str = "") -> Reading | None:
    names = list(wanted.paths if wanted.take is None else wanted.paths | {wanted.take})
    constants = _seen.get(execution_id)
    row = _statement(wanted).one(
        link, execution_id, names, wanted.signals, constants is None, wanted.take, before=before
    )
    return None if row is None else _reading(row, names, wanted, constants)


def _statement(wanted: Wanted) -> Statement:
    if wanted.everything:
        return statements.READ_EVERYTHING
    return statements.READ_OPEN if wanted.all_open else statements.READ_PATHS


def write(link: Link, before: ExecutionState, transition: Transition, *, commit: bool) -> bool:
    """Writes a transition in one statement; False, and nothing written, when the execution has moved on since."""
    parameters = _parameters(before, transition)
    if commit:
        _write_rest(link, transition)
        statements.WRITE.run(link, *parameters, after="COMMIT")
        return True
    row = statements.WRITE.one(link, *parameters)
    return row is not None


def is_one_statement(transition: Transition) -> bool:
    """True when `write` needs no transaction around it."""
    return not (transition.forgotten or transition.kept or transition.consumed)


def _write_rest(link: Link, transition: Transition) -> None:
    execution = transition.execution
    for container in transition.forgotten:
        statements.FORGET.run(link, execution.execution_id, container)
    for signal in transition.kept:
        values = (signal.signal_id, execution.execution_id, execution.tenant_id, signal.name)
        statements.KEEP.run(link, *values, dumps(signal.payload))
    if transition.consumed:
        statements.CONSUME.run(link, execution.execution_id, list(transition.consumed))


def end(link: Link) -> None:
    """Gives up the transaction of `lock_and_read` without a change."""
    link.execute("ROLLBACK")


def _parameters(before: ExecutionState, transition: Transition) -> tuple[Any, ...]:
    after = transition.execution
    return (
        after.execution_id,
        before.event_seq,
        after.event_seq,
        after.status,
        after.open_nodes,
        None if after.context is before.context else dumps(after.context),
        None if after.output is None else dumps(after.output),
        None if after.error is None else dumps(after.error),
        after.started_at,
        after.deadline_at,
        after.finished_at,
        _due_at(after),
        _rows(transition.nodes.values()),
        dumps([_event(event, seq) for seq, event in enumerate(transition.events, before.event_seq + 1)]),
        after.active_nodes,
        after.reopened,
        after.paused_at,
        after.status.terminal,
        dumps(after.mutexes) if after.mutexes else None,
    )


def _due_at(execution: ExecutionState) -> datetime | None:
    """When the tick looks at an execution: at its deadline, or at once when it has still to be started."""
    if execution.status is ExecutionStatus.QUEUED:
        return datetime.now(UTC)
    stopped = execution.status.terminal or execution.status is ExecutionStatus.PAUSED
    return None if stopped else execution.deadline_at


def _rows(nodes: Iterable[NodeState]) -> str:
    """The rows as one JSON list. Raises `TransitionTooLargeError` before it has grown out of bounds."""
    parts, size = [], 0
    for node in nodes:
        parts.append(dumps(_row(node)))
        size += len(parts[-1])
        if size > MAX_BYTES:
            raise TransitionTooLargeError(f"one step of the execution would store more than {MAX_BYTES:,} bytes")
    return f"[{','.join(parts)}]"


def _row(node: NodeState) -> dict[str, Any]:
    return {name: _plain(getattr(node, name)) for name in _FIELDS if getattr(node, name) is not None}


def _plain(value: Any) -> Any:
    return value.isoformat() if isinstance(value, datetime) else value


_FIELDS: Final = tuple(statements.NODE_NAMES.split(", "))


def _event(event: Event, seq: int) -> dict[str, Any]:
    return {"seq": seq, "type": event.type, "path": event.path, "data": event.data}


def _reading(row: Any, names: list[str], wanted: Wanted, constants: Constants | None) -> Reading:
    nodes: dict[str, NodeState | None] = dict.fromkeys(names)
    nodes.update((found["path"], _node(found)) for found in row.nodes or ())
    return Reading(
        execution=_execution(row, constants),
        nodes=nodes,
        now=row.now,
        all_open=wanted.all_open or wanted.everything,
        everything=wanted.everything,
        signals=tuple(Signal(**found) for found in row.signals or ()) if wanted.signals else None,
    )


Constants = tuple[Any, Mapping[str, Any]]
"""The input of an execution and the agents chosen for it."""

_seen: OrderedDict[str, Constants] = OrderedDict()
_SEEN: Final = 64
"""How many executions' constants a process holds on to."""


def _execution(row: Any, constants: Constants | None) -> ExecutionState:
    if constants is None:
        constants = _seen[str(row.execution_id)] = (row.input, row.agents or {})
        if len(_seen) > _SEEN:
            _seen.popitem(last=False)
    input_, agents = constants
    return ExecutionState(
        execution_id=str(row.execution_id),
        tenant_id=row.tenant_id,
        flow_id=row.flow_id,
        flow_version_id=row.flow_version_id,
        status=ExecutionStatus(row.status),
        input=input_,
        context=row.context,
        agents=agents,
        event_seq=row.event_seq,
        open_nodes=row.open_nodes,
        active_nodes=row.active_nodes,
        reopened=row.reopened,
        error=row.error,
        started_at=row.started_at,
        deadline_at=row.deadline_at,
        paused_at=row.paused_at,
        mutexes={name: tuple(line) for name, line in (row.mutexes or {}).items()},
        parent_execution_id=None if row.parent_execution_id is None else str(row.parent_execution_id),
        parent_path=row.parent_path,
    )


_TIMES: Final = ("due_at", "queued_at", "started_at", "finished_at")


def _node(row: Mapping[str, Any]) -> NodeState:
    values = dict(row)
    for name in _TIMES:
        if values.get(name) is not None:
            values[name] = datetime.fromisoformat(values[name])
    values["status"] = NodeStatus(values["status"])
    return NodeState(**values)
