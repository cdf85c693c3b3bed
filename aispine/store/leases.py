"""Renewing leases, one statement for all nodes of a process."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from aispine.store.database import Store, dumps
from aispine.store.prepared import Statement

# The row is fenced by owner and attempt, so a process whose node was given to another renews nothing. A row that
# somebody changes just now is left to the next heartbeat: waiting for it could deadlock with a cancel.
_RENEW: Final = Statement(
    "renew_leases",
    "json, text, double precision",
    """
    WITH asked AS (
      SELECT * FROM json_to_recordset($1) AS x(execution_id uuid, path text, attempt smallint)
    ), renewed AS (
      UPDATE node_executions n SET due_at = clock_timestamp() + $3 * interval '1 second'
      FROM (
        SELECT m.execution_id, m.path FROM node_executions m, asked x
        WHERE m.execution_id = x.execution_id AND m.path = x.path AND m.attempt = x.attempt
          AND m.status = 'running' AND m.lease_owner = $2
        FOR NO KEY UPDATE OF m SKIP LOCKED
      ) held
      WHERE n.execution_id = held.execution_id AND n.path = held.path
    )
    SELECT x.execution_id, x.path, x.attempt FROM asked x
    LEFT JOIN node_executions m ON m.execution_id = x.execution_id AND m.path = x.path
    WHERE (m.attempt = x.attempt AND m.status = 'running' AND m.lease_owner = $2) IS NOT TRUE
    """,
)

_SPARE: Final = Statement(
    "spare_leases",
    "double precision",
    """
    UPDATE node_executions n SET due_at = clock_timestamp() + $1 * interval '1 second'
    FROM (
      SELECT execution_id, path FROM node_executions
      WHERE due_at <= clock_timestamp() AND status = 'running' AND lease_owner IS NOT NULL
      FOR NO KEY UPDATE SKIP LOCKED
    ) ended
    WHERE n.execution_id = ended.execution_id AND n.path = ended.path AND n.status = 'running'
    RETURNING 1
    """,
)

_HELD_BY: Final = Statement(
    "leases_held_by",
    "text[]",
    """
    SELECT execution_id, path, attempt FROM node_executions
    WHERE due_at IS NOT NULL AND status = 'running' AND lease_owner = ANY($1) ORDER BY execution_id, path
    """,
)

Key = tuple[str, str, int]
"""One attempt: its execution, its path and its number."""


def renew(store: Store, keys: Sequence[Key], *, owner: str, lease: float) -> list[Key]:
    """Moves the end of these leases to `lease` seconds from now; returns those that the owner holds no more."""
    rows = [{"execution_id": execution_id, "path": path, "attempt": attempt} for execution_id, path, attempt in keys]
    asked = dumps(sorted(rows, key=lambda row: (row["execution_id"], row["path"])))
    with store.autocommit() as link:
        return [(str(row.execution_id), row.path, row.attempt) for row in _RENEW.all(link, asked, owner, lease)]


def held_by(store: Store, owners: Sequence[str]) -> list[Key]:
    """The attempts that some processes run."""
    with store.autocommit() as link:
        return [(str(row.execution_id), row.path, row.attempt) for row in _HELD_BY.all(link, list(owners))]


def spare(store: Store, seconds: float) -> int:
    """Lets every lease that has ended go on for some seconds; returns how many there were."""
    with store.autocommit() as link:
        return len(_SPARE.all(link, seconds))
