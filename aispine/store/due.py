"""What the tick has to look at: rows whose time has come."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any, Final

from aispine.store.database import Store
from aispine.store.prepared import Statement

_EVER: Final = 1e9
_NODES: Final = Statement(
    "due_nodes",
    "int",
    """
    SELECT execution_id, path, status, attempt, lease_owner, state FROM node_executions
    WHERE due_at <= clock_timestamp() AND status IN ('running', 'retrying', 'waiting')
    ORDER BY due_at LIMIT $1
    """,
)
# Moving `due_at` on is what makes several beats send a lost message once.
_RESEND_NODES: Final = Statement(
    "resend_due_nodes",
    "int, double precision",
    """
    UPDATE node_executions n SET due_at = clock_timestamp() + $2 * interval '1 second'
    FROM (
      SELECT execution_id, path, due_at FROM node_executions
      WHERE due_at <= clock_timestamp() AND status = 'queued' ORDER BY due_at LIMIT $1 FOR UPDATE SKIP LOCKED
    ) due
    WHERE n.execution_id = due.execution_id AND n.path = due.path AND n.status = 'queued'
    RETURNING n.execution_id, n.path, n.queue, n.queued_at, due.due_at = n.queued_at AS first,
      n.lost_attempts > 0 AS lost,
      (SELECT flow_id FROM executions e WHERE e.execution_id = n.execution_id)
    """,
)
_RESEND_STARTS: Final = Statement(
    "resend_due_starts",
    "int, double precision, double precision",
    """
    UPDATE executions e SET due_at = clock_timestamp() + $2 * interval '1 second'
    FROM (
      SELECT execution_id, due_at FROM executions
      WHERE due_at <= clock_timestamp() AND status = 'queued' ORDER BY due_at LIMIT $1 FOR UPDATE SKIP LOCKED
    ) due
    WHERE e.execution_id = due.execution_id
    RETURNING e.execution_id, e.flow_id, due.due_at < e.created_at + ($3 + 1) * interval '1 second' AS first
    """,
)
_DEADLINES: Final = Statement(
    "due_deadlines",
    "int",
    """
    SELECT execution_id FROM executions
    WHERE due_at <= clock_timestamp() AND status NOT IN ('queued', 'completed', 'failed', 'cancelled', 'timed_out')
    ORDER BY due_at LIMIT $1
    """,
)
_ORPHANS: Final = Statement(
    "orphaned_children",
    "int",
    """
    SELECT child.execution_id FROM executions child
    JOIN executions parent ON parent.execution_id = child.parent_execution_id
    WHERE child.status NOT IN ('completed', 'failed', 'cancelled', 'timed_out')
      AND parent.status IN ('completed', 'failed', 'cancelled', 'timed_out')
    LIMIT $1
    """,
)
# A container is set going by what is in it, so a running one says nothing unless it has a time of its own.
_OPEN: Final = Statement(
    "open_executions",
    "uuid, int",
    """
    SELECT e.execution_id, NOT EXISTS (
      SELECT FROM node_executions n WHERE n.execution_id = e.execution_id AND right(n.path, 1) <> ']' AND (
        n.status IN ('queued', 'retrying', 'waiting')
        OR n.status = 'running' AND (n.lease_owner IS NOT NULL OR n.due_at IS NOT NULL)
      )
    ) AS stalled
    FROM executions e WHERE e.status IN ('running', 'waiting') AND e.execution_id > $1 ORDER BY e.execution_id LIMIT $2
    """,
)
_NEXT: Final = Statement(
    "next_due",
    "",
    """
    SELECT LEAST(
      (SELECT min(due_at) FROM node_executions WHERE due_at IS NOT NULL),
      (SELECT min(due_at) FROM executions WHERE due_at IS NOT NULL),
      (SELECT min(next_due_at) FROM schedules WHERE next_due_at IS NOT NULL)
    ) AS due_at, clock_timestamp() AS now
    """,
)
# A row that somebody changes just now is no longer lost; waiting for it could deadlock with a cancel.
_OVERDUE: Final = Statement(
    "hasten_queued",
    "double precision, double precision, double precision",
    """
    WITH nodes AS (
      UPDATE node_executions n SET due_at = clock_timestamp()
      FROM (
        SELECT execution_id, path FROM node_executions
        WHERE due_at > clock_timestamp() AND status = 'queued'
          AND queued_at < clock_timestamp() - $1 * interval '1 second'
          AND due_at < clock_timestamp() + $2 * interval '1 second'
        FOR NO KEY UPDATE SKIP LOCKED
      ) lost
      WHERE n.execution_id = lost.execution_id AND n.path = lost.path
      RETURNING 1
    ), starts AS (
      UPDATE executions e SET due_at = clock_timestamp()
      FROM (
        SELECT execution_id FROM executions
        WHERE due_at > clock_timestamp() AND status = 'queued'
          AND created_at < clock_timestamp() - $1 * interval '1 second'
          AND due_at < clock_timestamp() + $3 * interval '1 second'
        FOR NO KEY UPDATE SKIP LOCKED
      ) lost
      WHERE e.execution_id = lost.execution_id
      RETURNING 1
    )
    SELECT (SELECT count(*) FROM nodes) + (SELECT count(*) FROM starts) AS hastened
    """,
)


_OF_EXECUTION: Final = Statement(
    "hasten_execution",
    "uuid",
    """
    UPDATE node_executions n SET due_at = clock_timestamp()
    FROM (
      SELECT execution_id, path FROM node_executions
      WHERE execution_id = $1 AND due_at > clock_timestamp() AND status = 'queued'
        AND queued_at <= clock_timestamp() FOR NO KEY UPDATE SKIP LOCKED
    ) queued
    WHERE n.execution_id = queued.execution_id AND n.path = queued.path
    RETURNING 1
    """,
)
# Not what was sent again already: it may wait behind a long backlog, and then more messages would not help. But what
# was lost goes before all others, so that whoever died now is the likeliest to have taken it.
_OLDEST: Final = Statement(
    "hasten_oldest",
    "text[], double precision, double precision, int",
    """
    UPDATE node_executions n SET due_at = clock_timestamp()
    FROM (
      SELECT execution_id, path FROM node_executions
      WHERE due_at > clock_timestamp() AND status = 'queued' AND queue = ANY($1)
        AND queued_at < clock_timestamp() - $2 * interval '1 second'
        AND (lost_attempts > 0 OR due_at <= queued_at + ($3 + 1) * interval '1 second')
      ORDER BY lost_attempts = 0, due_at LIMIT $4 FOR NO KEY UPDATE SKIP LOCKED
    ) taken
    WHERE n.execution_id = taken.execution_id AND n.path = taken.path
    RETURNING 1
    """,
)


def nodes(store: Store, limit: int) -> Sequence[Any]:
    """Nodes whose lease, delay, timer or timeout is over: `execution_id path status attempt lease_owner state`."""
    with store.autocommit() as link:
        return _NODES.all(link, limit)


def resend_nodes(store: Store, limit: int, again: float) -> Sequence[Any]:
    """Queued nodes whose turn has come (`first`) or whose message counts as lost, in the order of their turns.

    `lost` are those that ran once already, in a process that died. They are looked at again in `again` seconds.
    """
    with store.autocommit() as link:
        return sorted(_RESEND_NODES.all(link, limit, again), key=lambda row: row.queued_at)


def resend_starts(store: Store, limit: int, again: float, patience: float) -> Sequence[Any]:
    """Queued executions that no worker picked up, looked at again in `again` seconds.

    `first` are those that were announced once, when they were accepted, `patience` seconds ago.
    """
    with store.autocommit() as link:
        return _RESEND_STARTS.all(link, limit, again, patience)


def deadlines(store: Store, limit: int) -> Sequence[str]:
    """Executions whose time is over."""
    with store.autocommit() as link:
        return [str(row.execution_id) for row in _DEADLINES.all(link, limit)]


def orphans(store: Store, limit: int) -> Sequence[str]:
    """Child executions that go on although the execution that waited for them has ended."""
    with store.autocommit() as link:
        return [str(row.execution_id) for row in _ORPHANS.all(link, limit)]


def open_executions(store: Store, after: str, limit: int) -> Sequence[Any]:
    """Executions that go on, in the order of their ids: `execution_id`, and `stalled` where nothing is in flight."""
    with store.autocommit() as link:
        return _OPEN.all(link, after, limit)


def hasten_queued(store: Store, older_than: float, *, nodes_within: float = _EVER, starts_within: float = _EVER) -> int:
    """Makes everything due that has been queued for `older_than` seconds, because its messages are gone.

    What would be due later than within so many seconds has been sent again just now and stays as it is.
    """
    with store.autocommit() as link:
        row = _OVERDUE.one(link, older_than, nodes_within, starts_within)
    return 0 if row is None else int(row.hastened)


def hasten_oldest(store: Store, queues: Sequence[str], *, older_than: float, lost_after: float, limit: int) -> int:
    """Makes the nodes of some queues due that a process which died may have taken: those that were lost before, and the
    oldest that were sent once, `lost_after` seconds before they would be."""
    with store.autocommit() as link:
        return len(_OLDEST.all(link, list(queues), older_than, lost_after, limit))


def hasten_execution(store: Store, execution_id: str) -> int:
    """Makes everything due that is queued in an execution; returns how much that is."""
    with store.autocommit() as link:
        return len(_OF_EXECUTION.all(link, execution_id))


def next_due(store: Store) -> tuple[datetime | None, datetime]:
    """When the next row is due, and what time it is."""
    with store.autocommit() as link:
        row = _NEXT.one(link)
    if row is None:
        raise AssertionError("the statement always yields a row")
    return row.due_at, row.now
