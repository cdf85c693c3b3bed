"""The statements of the hot path: how a decision's rows are locked, read, written and claimed."""

from __future__ import annotations

from typing import Final

from aispine.store.prepared import Statement

_EXECUTION: Final = (
    "e.execution_id, e.tenant_id, e.flow_id, e.flow_version_id, e.status, e.context, e.event_seq, "
    "e.open_nodes, e.active_nodes, e.reopened, e.error, e.started_at, e.deadline_at, e.paused_at, "
    "e.parent_execution_id, e.parent_path, e.mutexes"
)


def _constants(wanted: str) -> str:
    """What never changes in an execution and may be large: read once per process."""
    return f"CASE WHEN {wanted} THEN e.input END AS input, CASE WHEN {wanted} THEN e.agents END AS agents"


LOCK: Final = Statement("lock_execution", "uuid", "SELECT 1 FROM executions WHERE execution_id = $1 FOR NO KEY UPDATE")

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


READ_PATHS: Final = _reader("read_paths", "path = ANY($2)")
READ_OPEN: Final = _reader("read_open", f"path = ANY($2) OR {_OPEN}")
READ_EVERYTHING: Final = _reader("read_everything", "true OR path = ANY($2)")

_NODE_COLUMNS: Final = (
    "path text, node_id text, status text, queue text, attempt smallint, lost_attempts smallint, unsettled int, "
    "live_control int, live_dependency int, blocked int, input json, output json, message text, metadata json, "
    "error json, state json, lease_owner text, due_at timestamptz, queued_at timestamptz, started_at timestamptz, "
    "finished_at timestamptz"
)
NODE_NAMES: Final = ", ".join(column.split()[0] for column in _NODE_COLUMNS.split(", "))
_VALUES: Final = ", ".join(f"x.{name}" for name in NODE_NAMES.split(", "))
_KEPT: Final = {"path", "node_id"}
_UPDATES: Final = ", ".join(
    # A node's input is written once, when it becomes ready, and left out of later writes.
    "input = COALESCE(excluded.input, n.input)" if name == "input" else f"{name} = excluded.{name}"
    for name in NODE_NAMES.split(", ")
    if name not in _KEPT
)

# Rows that are there are written as conflicts with new ones: that always goes by the key, where an UPDATE that joins
# the new values may be planned, while the table is small, to look through all rows of the execution.
WRITE: Final = Statement(
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
      INSERT INTO node_executions AS n (execution_id, tenant_id, {NODE_NAMES})
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

CLAIM: Final = Statement(
    "claim_nodes",
    "uuid, text[], text, double precision, boolean",
    f"""
    WITH e AS (
      SELECT {_EXECUTION}, {_constants("$5")} FROM executions e
      WHERE e.execution_id = $1 AND e.status IN ('running', 'waiting')
      FOR NO KEY UPDATE
    ), n AS (
      UPDATE node_executions SET status = 'running', attempt = attempt + 1, lease_owner = $3,
        due_at = clock_timestamp() + $4 * interval '1 second', started_at = COALESCE(started_at, clock_timestamp())
      WHERE execution_id = (SELECT execution_id FROM e) AND path = ANY($2) AND status = 'queued'
        AND queued_at < clock_timestamp() + interval '0.5 second'
      RETURNING path, node_id, status, queue, attempt, lost_attempts, unsettled, live_control, live_dependency, blocked,
        input, metadata, state, lease_owner, due_at, queued_at, started_at
    ), s AS (
      UPDATE executions SET event_seq = event_seq + (SELECT count(*) FROM n)
      WHERE execution_id = (SELECT $1 FROM n LIMIT 1) RETURNING event_seq
    ), logged AS (
      INSERT INTO events (execution_id, tenant_id, seq, type, path, data, created_at)
      SELECT e.execution_id, e.tenant_id,
        s.event_seq - count(*) OVER () + row_number() OVER (ORDER BY array_position($2, n.path)),
        'node.started', n.path, json_build_object('attempt', n.attempt, 'worker', $3), clock_timestamp()
      FROM e, n, s
    )
    SELECT {_EXECUTION.replace("e.event_seq", "s.event_seq")}, e.input, e.agents, clock_timestamp() AS now,
      (SELECT json_agg(n) FROM n) AS nodes
    FROM e, s
    """,
)


FORGET: Final = Statement(
    "forget_frames",
    "uuid, text",
    # A path is compared from its start, since node ids may hold characters that LIKE takes for its own.
    "DELETE FROM node_executions WHERE execution_id = $1 AND left(path, length($2) + 1) = $2 || '['",
)
KEEP: Final = Statement(
    "keep_signal",
    "text, uuid, text, text, json",
    """
    INSERT INTO signals (signal_id, execution_id, tenant_id, name, payload, created_at)
    VALUES ($1, $2, $3, $4, $5, clock_timestamp())
    """,
)
CONSUME: Final = Statement(
    "consume_signals",
    "uuid, text[]",
    "UPDATE signals SET consumed_at = clock_timestamp() WHERE execution_id = $1 AND signal_id = ANY($2)",
)
