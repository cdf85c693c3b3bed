"""The table of executions, as people read it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Final

from sqlalchemy import func, literal, select, tuple_
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import Session, defer

from aispine.store.database import dumps, link
from aispine.store.models import ExecutionRow
from aispine.store.prepared import Statement


def add(session: Session, row: ExecutionRow, *, patience: float) -> None:
    """Inserts an execution that the tick looks at after `patience` seconds; the session does not keep the row.

    What the store fills in of what people are shown is set in the row.
    """
    values = ((name, getattr(row, name)) for name in _GIVEN)
    given = (dumps(value) if name in _JSON and value is not None else value for name, value in values)
    row.created_at = _ADD.one(link(session), *given, patience).created_at


_COLUMNS: Final = (
    "execution_id uuid, tenant_id text, flow_id text, version text, flow_version_id bigint, status text, input json, "
    "context json, agents json, labels jsonb, correlation_id text, parent_execution_id uuid, parent_path text, "
    "parent_attempt smallint, depth smallint, root_execution_id uuid, rerun_of uuid, schedule_id uuid, "
    "reopened smallint"
)
_GIVEN, _TYPES = zip(*(column.split() for column in _COLUMNS.split(", ")), strict=True)
_JSON: Final = frozenset({"input", "context", "agents", "labels"})
_ADD: Final = Statement(
    "add_execution",
    f"{', '.join(_TYPES)}, double precision",
    f"""
    INSERT INTO executions ({", ".join(_GIVEN)}, due_at)
    VALUES ({", ".join(f"${place}" for place, _ in enumerate(_GIVEN, 1))},
      clock_timestamp() + ${len(_GIVEN) + 1} * interval '1 second')
    RETURNING created_at
    """,
)


@dataclass(frozen=True, kw_only=True, slots=True)
class Filter:
    """Which executions a list shows; what is empty or None lets all pass."""

    statuses: tuple[str, ...] = ()
    flow_id: str | None = None
    labels: Mapping[str, str] = field(default_factory=dict)
    correlation_id: str | None = None
    parent: str | None = None
    """The execution whose subflows are wanted."""
    schedule_id: str | None = None


def find(session: Session, execution_id: str) -> ExecutionRow | None:
    """The execution, when the session's tenant may see it."""
    return session.get(ExecutionRow, execution_id)


def find_unchanging(session: Session, execution_id: str) -> ExecutionRow | None:
    """As `find`, and the execution stays as it is until the transaction ends."""
    return session.get(ExecutionRow, execution_id, with_for_update={"read": True}, populate_existing=True)


def position(session: Session, execution_id: str) -> tuple[str, int] | None:
    """The execution's status and the number of its last event."""
    statement = select(ExecutionRow.status, ExecutionRow.event_seq)
    row = session.execute(statement.where(ExecutionRow.execution_id == execution_id)).one_or_none()
    return (row[0], row[1]) if row else None


def page(
    session: Session, tenant_id: str, wanted: Filter, *, before: tuple[datetime, str] | None, limit: int
) -> Sequence[ExecutionRow]:
    """Executions without input, output and context, newest first, from the one after `before` on."""
    statement = select(ExecutionRow).where(ExecutionRow.tenant_id == tenant_id)
    if wanted.statuses:
        statement = statement.where(ExecutionRow.status.in_(wanted.statuses))
    if wanted.flow_id is not None:
        statement = statement.where(ExecutionRow.flow_id == wanted.flow_id)
    if wanted.correlation_id is not None:
        statement = statement.where(ExecutionRow.correlation_id == wanted.correlation_id)
    if wanted.parent is not None:
        statement = statement.where(ExecutionRow.parent_execution_id == wanted.parent)
    if wanted.schedule_id is not None:
        statement = statement.where(ExecutionRow.schedule_id == wanted.schedule_id)
    if wanted.labels:
        # The second condition is the one of the partial index.
        labels = literal(dict(wanted.labels), JSONB)
        statement = statement.where(ExecutionRow.labels.op("@>")(labels), ExecutionRow.labels != literal({}, JSONB))
    if before is not None:
        last = tuple_(literal(before[0]), literal(before[1], ExecutionRow.execution_id.type))
        statement = statement.where(tuple_(ExecutionRow.created_at, ExecutionRow.execution_id) < last)
    heavy = (defer(ExecutionRow.input), defer(ExecutionRow.output), defer(ExecutionRow.context))
    newest_first = statement.order_by(ExecutionRow.created_at.desc(), ExecutionRow.execution_id.desc())
    return session.scalars(newest_first.limit(limit).options(*heavy)).all()


def find_child(session: Session, parent: str, path: str, attempt: int) -> ExecutionRow | None:
    """The execution that an attempt of a subflow node has started."""
    same = {"parent_execution_id": parent, "parent_path": path, "parent_attempt": attempt}
    return session.scalar(select(ExecutionRow).filter_by(**same))


def statuses(session: Session, execution_ids: Sequence[str]) -> Mapping[str, str]:
    """The status of each of these executions."""
    if not execution_ids:
        return {}
    rows = session.execute(
        select(ExecutionRow.execution_id, ExecutionRow.status).where(ExecutionRow.execution_id.in_(execution_ids))
    )
    return {row[0]: row[1] for row in rows}


@dataclass(frozen=True, kw_only=True, slots=True)
class Family:
    """Where an execution stands among subflows: how many above it, and the topmost (itself, when there is none)."""

    depth: int
    root: str


def family(session: Session, execution_id: str) -> Family:
    """Where the execution stands."""
    row = session.execute(
        select(ExecutionRow.depth, ExecutionRow.root_execution_id).where(ExecutionRow.execution_id == execution_id)
    ).one()
    return Family(depth=row.depth, root=row.root_execution_id or execution_id)


def descendants(session: Session, root: str, at_most: int) -> int:
    """How many executions stand below the topmost one, counted no further than `at_most`."""
    below = select(ExecutionRow.execution_id).where(ExecutionRow.root_execution_id == root).limit(at_most)
    return session.scalar(select(func.count()).select_from(below.subquery())) or 0
