"""The table of tools."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from typing import Any

from sqlalchemy import Text, cast, delete, exists, func, select
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from aispine.flow.status import ExecutionStatus
from aispine.store.models import ExecutionRow, ToolRow


def find(session: Session, tenant_id: str, tool_id: str, *, lock: bool = False) -> ToolRow | None:
    """The tool; with `lock` held until the transaction ends."""
    statement = select(ToolRow).filter_by(tenant_id=tenant_id, tool_id=tool_id)
    return session.scalar(statement.with_for_update() if lock else statement)


def named(session: Session, tenant_id: str, tool_ids: Collection[str]) -> Sequence[ToolRow]:
    """Those of the tools that there are."""
    return session.scalars(select(ToolRow).where(ToolRow.tenant_id == tenant_id, ToolRow.tool_id.in_(tool_ids))).all()


def page(session: Session, tenant_id: str, *, after: str = "", limit: int) -> Sequence[ToolRow]:
    """Tools by their id, from the one after `after` on."""
    statement = select(ToolRow).where(ToolRow.tenant_id == tenant_id, ToolRow.tool_id.collate("C") > after)
    return session.scalars(statement.order_by(ToolRow.tool_id.collate("C")).limit(limit)).all()


def ids(session: Session, tenant_id: str) -> Sequence[str]:
    return session.scalars(select(ToolRow.tool_id).filter_by(tenant_id=tenant_id)).all()


def add(
    session: Session, tenant_id: str, tool_id: str, definition: Mapping[str, Any], credential: str | None
) -> ToolRow | None:
    """Adds a tool; None when one of that id is there."""
    values = {"tenant_id": tenant_id, "tool_id": tool_id, "definition": dict(definition), "credential": credential}
    return session.scalar(insert(ToolRow).values(**values).on_conflict_do_nothing().returning(ToolRow))


def change(session: Session, row: ToolRow, definition: Mapping[str, Any], credential: str | None) -> None:
    """Sets what a locked tool says."""
    row.definition, row.credential, row.updated_at = dict(definition), credential, func.clock_timestamp()
    session.flush()
    session.refresh(row)


def remove(session: Session, tenant_id: str, tool_id: str) -> None:
    session.execute(delete(ToolRow).filter_by(tenant_id=tenant_id, tool_id=tool_id))


def in_use(session: Session, tenant_id: str, tool_id: str) -> bool:
    """True when an execution that has not ended was planned with this tool."""
    open_ = [status.value for status in ExecutionStatus if not status.terminal]
    recorded = cast(ExecutionRow.agents, Text).contains(f'"tool:{tool_id}"', autoescape=True)
    where = (ExecutionRow.tenant_id == tenant_id, ExecutionRow.status.in_(open_), recorded)
    return bool(session.scalar(select(exists().where(*where))))
