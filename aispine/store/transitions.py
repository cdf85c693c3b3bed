"""Reading what a decision needs and writing what it changes: the statements of the hot path.

They are prepared once per connection. One call is one round trip; under autocommit a call of several statements is
one transaction. `event_seq` is the version of all that an execution holds: a write names the one it was decided on.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Final

from aispine.errors import NotFound
from aispine.flow.state import Event, ExecutionState, NodeState, Reading, Signal, Transition
from aispine.flow.status import ExecutionStatus, NodeStatus
from aispine.store.database import bind_tenant, dumps
from aispine.store.prepared import Link, Statement

_EXECUTION: Final = (
    "e.execution_id, e.tenant_id, e.flow_id, e.flow_version_id, e.status, e.context, e.event_seq, "
    "e.open_nodes, e.active_nodes, e.reopened, e.error, e.started_at, e.deadline_at, e.paused_at, "
    "e.parent_execution_id, e.parent_path, e.mutexes"
)


def _constants(wanted: str) -> str:
    """What never changes in an execution and may be large: read once per process."""
    return f"CASE WHEN {wanted} THEN e.input END AS input, CASE WHEN {wanted} THEN e.agents END AS agents"


_LOCK: Final = Statement("lock_execution", "uuid", "SELECT 1 FROM executions WHERE execution_id = $1 FOR NO KEY UPDATE")

_OPEN: Final = "status IN ('queued', 'running', 'retrying', 'waiting')"


def _reader(name: str, condition: str) -> Statement:
    """A statement of its own for each way of choosing rows: one for all would find none of them by the index.

    The input of a node is only read where it is needed: what an item is, what a wait passes on, what is run next.
    """
    return Statement(
        name,
        "uuid, text[], boolean, boolean, text",
        f"""
        SELECT {_EXECUTION}, {_constants("$4")}, clock_timestamp() AS now,
          (SELECT json_agg(n) FROM (
            SELECT path, node_id, status, queue, attempt, lost_attempts, unsettled, live_control, live_dependency,
                   blocked, output, message,
                   CASE WHEN right(path, 1) = ']' OR status = 'waiting' OR path = $5 THEN input END AS input,
                   metadata, error, state, lease_owner, due_at, queued_at, started_at, finished_at
            FROM node_executions WHERE execution_id = $1 AND ({condition})
          ) n) AS nodes,
          CASE WHEN $3 THEN (SELECT json_agg(s) FROM (
            SELECT signal_id, name, payload FROM signals
            WHERE execution_id = $1 AND consumed_at IS NULL ORDER BY created_at, signal_id
          ) s) END AS signals
        FROM executions e WHERE e.execution_id = $1
        """,
    )


_READ_PATHS: Final = _reader("read_paths", "path = ANY($2)")
_READ_OPEN: Final = _reader("read_open", f"path = ANY($2) OR {_OPEN}")
_READ_EVERYTHING: Final = _reader("read_everything", "true OR path = ANY($2)")

_NODE_COLUMNS: Final = (
    "path text, node_id text, status text, queue text, attempt smallint, lost_attempts smallint, unsettled int, "
    "live_control int, live_dependency int, blocked int, input json, output json, message text, metadata json, "
    "error json, state json, lease_owner text, due_at timestamptz, queued_at timestamptz, started_at timestamptz, "
    "finished_at timestamptz"
)
_NODE_NAMES: Final = ", ".join(column.split()[0] for column in _NODE_COLUMNS.split(", "))
_VALUES: Final = ", ".join(f"x.{name}" for name in _NODE_NAMES.split(", "))
_KEPT: Final = {"path", "node_id"}
_UPDATES: Final = ", ".join(
    # A node's input is written once, when it becomes ready, and left out of later writes.
    "input = COALESCE(excluded.input, n.input)" if name == "input" else f"{name} = excluded.{name}"
    for name in _NODE_NAMES.split(", ")
    if name not in _KEPT
)

# Rows that are there are written as conflicts with new ones: that always goes by the key, where an UPDATE that joins
# the new values may be planned, while the table is small, to look through all rows of the execution.
_WRITE: Final = Statement(
    "write_transition",
    "uuid, int, int, text, int, json, json, json, timestamptz, timestamptz, timestamptz, timestamptz, "
    "json, json, int, int, timestamptz, boolean, json",
    f"""
    WITH e AS (
      UPDATE executions SET event_seq = $3, status = $4, open_nodes = $5, context = COALESCE($6, context),
        output = $7, error = $8, started_at = $9, deadline_at = $10, finished_at = $11, due_at = $12,
        active_nodes = $15, reopened = $16, paused_at = $17, mutexes = $19
      WHERE execution_id = $1 AND event_seq = $2
      RETURNING execution_id, tenant_id, parent_execution_id, parent_path
    ), written AS (
      INSERT INTO node_executions AS n (execution_id, tenant_id, {_NODE_NAMES})
      SELECT e.execution_id, e.tenant_id, {_VALUES} FROM e, json_to_recordset($13) AS x({_NODE_COLUMNS})
      ON CONFLICT (execution_id, path) DO UPDATE SET {_UPDATES}
    ), parent AS (
      UPDATE node_executions n SET due_at = clock_timestamp()
      FROM e WHERE $18 AND n.execution_id = e.parent_execution_id AND n.path = e.parent_path AND n.status = 'waiting'
    ), logged AS (
      INSERT INTO events (execution_id, tenant_id, seq, type, path, data, created_at)
      SELECT e.execution_id, e.tenant_id, x.seq, x.type, x.path, x.data, clock_timestamp()
      FROM e, json_to_recordset($14) AS x(seq int, type text, path text, data json)
    )
    SELECT 1 AS written FROM e
    """,
)

_CLAIM: Final = Statement(
    "claim_node",
    "uuid, text, text, double precision, boolean",
    f"""
    WITH e AS (
      SELECT {_EXECUTION}, {_constants("$5")} FROM executions e
      WHERE e.execution_id = $1 AND e.status IN ('running', 'waiting')
      FOR NO KEY UPDATE
    ), n AS (
      UPDATE node_executions SET status = 'running', attempt = attempt + 1, lease_owner = $3,
        due_at = clock_timestamp() + $4 * interval '1 second', started_at = COALESCE(started_at, clock_timestamp())
      WHERE execution_id = (SELECT execution_id FROM e) AND path = $2 AND status = 'queued'
      RETURNING path, node_id, status, queue, attempt, lost_attempts, unsettled, live_control, live_dependency, blocked,
        input, state, lease_owner, due_at, queued_at, started_at
    ), s AS (
      UPDATE executions SET event_seq = event_seq + 1 WHERE execution_id = (SELECT $1 FROM n) RETURNING event_seq
    ), logged AS (
      INSERT INTO events (execution_id, tenant_id, seq, type, path, data, created_at)
      SELECT e.execution_id, e.tenant_id, s.event_seq, 'node.started', n.path,
        json_build_object('attempt', n.attempt, 'worker', $3), clock_timestamp()
      FROM e, n, s
    )
    SELECT {_EXECUTION.replace("e.event_seq", "s.event_seq")}, e.input, e.agents, clock_timestamp() AS now,
      row_to_json(n) AS node
    FROM e, n, s
    """,
)


_FORGET: Final = Statement(
    "forget_frames",
    "uuid, text",
    # A path is compared from its start, since node ids may hold characters that LIKE takes for its own.
    "DELETE FROM node_executions WHERE execution_id = $1 AND left(path, length($2) + 1) = $2 || '['",
)
_KEEP: Final = Statement(
    "keep_signal",
    "text, uuid, text, text, json",
    """
    INSERT INTO signals (signal_id, execution_id, tenant_id, name, payload, created_at)
    VALUES ($1, $2, $3, $4, $5, clock_timestamp())
    """,
)
_CONSUME: Final = Statement(
    "consume_signals",
    "uuid, text[]",
    "UPDATE signals SET consumed_at = clock_timestamp() WHERE execution_id = $1 AND signal_id = ANY($2)",
)


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
    """A node that this process runs now, and the execution as it stood at that moment."""

    node: NodeState
    execution: ExecutionState
    now: datetime


def claim(link: Link, execution_id: str, path: str, *, owner: str, lease: float) -> Claim | None:
    """Takes a queued node of a running execution; None when it is not there to be taken. `lease` in seconds."""
    constants = _seen.get(execution_id)
    row = _CLAIM.one(link, execution_id, path, owner, lease, constants is None)
    if row is None:
        return None
    return Claim(node=_node(row.node), execution=_execution(row, constants), now=row.now)


def lock_and_read(link: Link, execution_id: str, wanted: Wanted, *, tenant_id: str | None = None) -> Reading | None:
    """Opens a transaction that holds the execution's row, and reads; None when there is no such execution.

    The lock is a statement of its own, so that the read sees what was committed while it waited.
    """
    _LOCK.prepare(link)
    before = f"BEGIN; {bind_tenant(link, tenant_id)}{_LOCK.call(link, execution_id)}"
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
        return _READ_EVERYTHING
    return _READ_OPEN if wanted.all_open else _READ_PATHS


def write(link: Link, before: ExecutionState, transition: Transition, *, commit: bool) -> bool:
    """Writes a transition in one statement; False, and nothing written, when the execution has moved on since."""
    parameters = _parameters(before, transition)
    if commit:
        _write_rest(link, transition)
        _WRITE.run(link, *parameters, after="COMMIT")
        return True
    row = _WRITE.one(link, *parameters)
    return row is not None


def is_one_statement(transition: Transition) -> bool:
    """True when `write` needs no transaction around it."""
    return not (transition.forgotten or transition.kept or transition.consumed)


def _write_rest(link: Link, transition: Transition) -> None:
    execution = transition.execution
    for container in transition.forgotten:
        _FORGET.run(link, execution.execution_id, container)
    for signal in transition.kept:
        values = (signal.signal_id, execution.execution_id, execution.tenant_id, signal.name)
        _KEEP.run(link, *values, dumps(signal.payload))
    if transition.consumed:
        _CONSUME.run(link, execution.execution_id, list(transition.consumed))


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
        dumps([_row(node) for node in transition.nodes.values()]),
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


def _row(node: NodeState) -> dict[str, Any]:
    return {name: _plain(getattr(node, name)) for name in _FIELDS if getattr(node, name) is not None}


def _plain(value: Any) -> Any:
    return value.isoformat() if isinstance(value, datetime) else value


_FIELDS: Final = tuple(_NODE_NAMES.split(", "))


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
    return NodeState(stored=True, **values)
