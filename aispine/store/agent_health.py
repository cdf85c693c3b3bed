"""The table of agents' health: which checks are due, what they found, and how an agent stands."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final

from sqlalchemy import func, select, text, update
from sqlalchemy.orm import Session

from aispine.store.agents import ACTIVE
from aispine.store.models import AgentHealthRow, AgentVersionRow

KEPT: Final = 60
"""Checks that the history of an agent holds."""


def enrol(session: Session, every: float) -> None:
    """Gives every active agent over HTTP its first check, spread over the time between two."""
    session.execute(_ENROL, {"status": ACTIVE, "every": every})


_ENROL: Final = text(
    """
    INSERT INTO agent_health (agent_version_id, tenant_id, next_check_at)
    SELECT v.agent_version_id, v.tenant_id, clock_timestamp() + random() * :every * interval '1 second'
    FROM agent_versions v
    WHERE v.kind = 'http' AND v.status = :status
      AND NOT EXISTS (SELECT 1 FROM agent_health h WHERE h.agent_version_id = v.agent_version_id)
    ON CONFLICT DO NOTHING
    """
)


def claim(session: Session, every: float, limit: int) -> list[AgentVersionRow]:
    """The active agents whose check is due, each for one caller alone and next in `every` seconds."""
    due = session.scalars(_CLAIM, {"every": every, "limit": limit}).all()
    found = select(AgentVersionRow).where(AgentVersionRow.agent_version_id.in_(due), AgentVersionRow.status == ACTIVE)
    return list(session.scalars(found))


_CLAIM: Final = text(
    """
    UPDATE agent_health h SET next_check_at = clock_timestamp() + :every * interval '1 second'
    FROM (
      SELECT agent_version_id FROM agent_health WHERE next_check_at <= clock_timestamp()
      ORDER BY next_check_at LIMIT :limit FOR UPDATE SKIP LOCKED
    ) due
    WHERE h.agent_version_id = due.agent_version_id RETURNING h.agent_version_id
    """
)


def record(session: Session, version_id: int, *, answered: bool, ready: bool, error: str | None, ms: int) -> None:
    """Notes what a check found; `answered` is False when there was no answer that could be read."""
    row = session.get(AgentHealthRow, version_id, with_for_update=True)
    if row is None:
        return
    now = session.scalar(select(func.clock_timestamp()))
    check = {"at": now.isoformat() if now else None, "ready": ready, "duration_ms": ms, "error": error}
    session.execute(
        update(AgentHealthRow)
        .where(AgentHealthRow.agent_version_id == version_id)
        .values(
            ready=ready,
            error=error,
            failures=0 if answered else row.failures + 1,
            history=[*row.history, check][-KEPT:],
            checked_at=now,
        )
    )


def of_version(session: Session, tenant_id: str, agent_id: str, version: str) -> AgentHealthRow | None:
    """How a version stood at its last check; None before the first one and for agents that are not checked."""
    statement = select(AgentHealthRow).join(
        AgentVersionRow, AgentVersionRow.agent_version_id == AgentHealthRow.agent_version_id
    )
    same = (AgentVersionRow.agent_id == agent_id, AgentVersionRow.version == version)
    rows: Sequence[Any] = session.scalars(statement.where(AgentVersionRow.tenant_id == tenant_id, *same)).all()
    return rows[0] if rows else None
