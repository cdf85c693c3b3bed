"""What should have been looked at and was not, for those who look after the platform."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Final

from aispine.store.database import Store
from aispine.store.prepared import Statement

_MOST: Final = 100
_EXECUTIONS: Final = Statement(
    "overdue_executions",
    "double precision, int",
    """
    SELECT execution_id, extract(epoch FROM clock_timestamp() - min(due_at))::float AS late FROM (
      (SELECT execution_id, due_at FROM node_executions
       WHERE due_at < clock_timestamp() - $1 * interval '1 second'
         AND status IN ('queued', 'running', 'retrying', 'waiting') ORDER BY due_at LIMIT $2)
      UNION ALL
      (SELECT execution_id, due_at FROM executions
       WHERE due_at < clock_timestamp() - $1 * interval '1 second'
         AND status NOT IN ('completed', 'failed', 'cancelled', 'timed_out') ORDER BY due_at LIMIT $2)
    ) late GROUP BY execution_id ORDER BY min(due_at)
    """,
)
_QUEUED: Final = Statement(
    "queued_by_queue",
    "",
    """
    SELECT queue, count(*) AS count FROM node_executions
    WHERE due_at IS NOT NULL AND status = 'queued' AND queue IS NOT NULL GROUP BY queue
    """,
)


def executions(store: Store, seconds: float) -> Sequence[Any]:
    """Executions with something due for so long that nobody can be looking: `execution_id late`, the latest first."""
    with store.autocommit() as link:
        return _EXECUTIONS.all(link, seconds, _MOST)


def queued(store: Store) -> Mapping[str, int]:
    """How many nodes wait for a worker, by queue."""
    with store.autocommit() as link:
        return {row.queue: row.count for row in _QUEUED.all(link)}
