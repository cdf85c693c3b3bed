"""The tables of agents and their versions; a tenant sees its own and the platform's."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final

from sqlalchemy import Text, cast, delete, exists, func, select, text, update
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from aispine.flow.status import ExecutionStatus
from aispine.store.models import PLATFORM, AgentRow, AgentVersionRow, ExecutionRow

ACTIVE: Final = "active"
RETIRED: Final = "retired"
_SYNC_LOCK: Final = 7_314_100_802
"""Names the advisory lock under which one process at a time registers folders."""


def lock_sync(session: Session) -> None:
    """Waits until no other process registers folders, until the transaction ends."""
    session.execute(text("SELECT pg_advisory_xact_lock(:lock)"), {"lock": _SYNC_LOCK})


def versions(session: Session, tenant_id: str, agent_id: str | None = None) -> Sequence[AgentVersionRow]:
    """What the tenant sees: of one agent or of all, active or retired, by agent and age."""
    statement = select(AgentVersionRow).where(AgentVersionRow.tenant_id.in_((tenant_id, PLATFORM)))
    if agent_id is not None:
        statement = statement.where(AgentVersionRow.agent_id == agent_id)
    ordered = statement.order_by(AgentVersionRow.agent_id, AgentVersionRow.agent_version_id)
    return session.scalars(ordered.execution_options(populate_existing=True)).all()


def in_folders(session: Session, folders: Sequence[str]) -> Sequence[AgentVersionRow]:
    """The platform's active versions that were registered from one of these folders."""
    statement = select(AgentVersionRow).where(
        AgentVersionRow.tenant_id == PLATFORM,
        AgentVersionRow.status == ACTIVE,
        AgentVersionRow.definition["folder"].as_string().in_(folders),
    )
    return session.scalars(statement).all()


def retire(session: Session, row: AgentVersionRow) -> None:
    """Keeps the version for the executions that have it, and out of what new ones find."""
    where = AgentVersionRow.agent_version_id == row.agent_version_id
    session.execute(update(AgentVersionRow).where(where).values(status=RETIRED))


def save_agent(session: Session, tenant_id: str, agent_id: str, name: str, description: str | None) -> None:
    """Makes the agent, or sets what its newest version says about it."""
    values = {"name": name, "description": description or ""}
    statement = insert(AgentRow).values(tenant_id=tenant_id, agent_id=agent_id, **values)
    session.execute(
        statement.on_conflict_do_update(
            index_elements=["tenant_id", "agent_id"], set_={**values, "updated_at": func.now()}
        )
    )


def save_version(session: Session, tenant_id: str, agent_id: str, version: str, **values: Any) -> None:
    """Makes the version, or replaces what it says, and makes it active."""
    row = {"tenant_id": tenant_id, "agent_id": agent_id, "version": version, "status": ACTIVE}
    statement = insert(AgentVersionRow).values(**row, **values)
    session.execute(
        statement.on_conflict_do_update(
            index_elements=["tenant_id", "agent_id", "version"], set_={**values, "status": ACTIVE}
        )
    )


def remove(session: Session, tenant_id: str, agent_id: str) -> bool:
    """Deletes the agent and its versions; False when the tenant has none of that id."""
    statement = delete(AgentRow).where(AgentRow.tenant_id == tenant_id, AgentRow.agent_id == agent_id)
    return session.scalar(statement.returning(AgentRow.agent_id)) is not None


def in_use(session: Session, tenant_id: str, agent_id: str) -> bool:
    """True when an execution that has not ended was planned with this agent."""
    open_ = [status.value for status in ExecutionStatus if not status.terminal]
    named = cast(ExecutionRow.agents, Text).contains(f'"{agent_id}@', autoescape=True)
    where = (ExecutionRow.tenant_id == tenant_id, ExecutionRow.status.in_(open_), named)
    return bool(session.scalar(select(exists().where(*where))))
