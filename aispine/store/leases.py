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
    UPDATE node_executions n SET due_at = clock_timestamp() + $3 * interval '1 second'
    FROM (
      SELECT m.execution_id, m.path
      FROM node_executions m, json_to_recordset($1) AS x(execution_id uuid, path text, attempt smallint)
      WHERE m.execution_id = x.execution_id AND m.path = x.path AND m.attempt = x.attempt
        AND m.status = 'running' AND m.lease_owner = $2
      FOR NO KEY UPDATE OF m SKIP LOCKED
    ) held
    WHERE n.execution_id = held.execution_id AND n.path = held.path
    """,
)


def renew(store: Store, keys: Sequence[tuple[str, str, int]], *, owner: str, lease: float) -> None:
    """Moves the end of these leases to `lease` seconds from now."""
    rows = [{"execution_id": execution_id, "path": path, "attempt": attempt} for execution_id, path, attempt in keys]
    with store.autocommit() as link:
        _RENEW.run(link, dumps(sorted(rows, key=lambda row: (row["execution_id"], row["path"]))), owner, lease)
