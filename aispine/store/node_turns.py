"""Queued nodes whose turn comes later: their message is sent then, by the tick, and nobody claims them before."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from sqlalchemy import text
from sqlalchemy.orm import Session


def defer(session: Session, execution_id: str, seconds: Mapping[str, float]) -> None:
    """Lets queued nodes wait for so many seconds from now; one that somebody changes just now is left alone."""
    values = {"execution_id": execution_id, "paths": list(seconds), "seconds": list(seconds.values())}
    session.execute(_DEFER, values)


_DEFER: Final = text(
    """
    UPDATE node_executions n SET due_at = turn.at, queued_at = turn.at
    FROM (
      SELECT path, clock_timestamp() + seconds * interval '1 second' AS at
      FROM unnest(CAST(:paths AS text[]), CAST(:seconds AS double precision[])) AS t(path, seconds)
    ) turn, (
      SELECT path FROM node_executions
      WHERE execution_id = :execution_id AND path = ANY(:paths) AND status = 'queued'
      FOR NO KEY UPDATE SKIP LOCKED
    ) free
    WHERE n.execution_id = :execution_id AND n.path = turn.path AND n.path = free.path AND n.status = 'queued'
    """
)
