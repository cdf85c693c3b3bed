"""What is kept of a person, found and deleted: messages, files, and every execution that the person began."""

from __future__ import annotations

import json
from collections.abc import Collection, Mapping, Sequence
from typing import Any, Final

from sqlalchemy import and_, delete, func, or_, select, text
from sqlalchemy.orm import Session, aliased

from aispine.flow.status import ExecutionStatus
from aispine.store.models import (
    ChannelMessageRow,
    ChannelRow,
    ContactRow,
    ConversationRow,
    EventRow,
    ExecutionRow,
    FileRow,
    IdempotencyKeyRow,
    NodeExecutionRow,
    NodeLogRow,
    OutboxRow,
    QuestionRow,
    ScheduleFiringRow,
    SignalRow,
)

LABEL: Final = "subject"
"""The label of an execution that is about a person though no message of that person began it."""
_ENDED: Final = tuple(status.value for status in ExecutionStatus if status.terminal)
_FAMILY: Final = text(
    """
    WITH RECURSIVE begun AS (
      SELECT execution_id FROM conversations WHERE tenant_id = :tenant AND contact_id = ANY(CAST(:contacts AS uuid[]))
      UNION
      SELECT execution_id FROM executions
      WHERE tenant_id = :tenant AND labels <> '{}' AND labels @> ANY(CAST(:labels AS jsonb[]))
    ), family AS (
      SELECT execution_id FROM begun
      UNION
      SELECT other.execution_id FROM family
      JOIN executions other ON other.parent_execution_id = family.execution_id OR other.rerun_of = family.execution_id
    )
    SELECT execution_id FROM family JOIN executions USING (execution_id) WHERE tenant_id = :tenant ORDER BY execution_id
    """
)
_FILES: Final = text(
    r"""
    WITH told AS (
      SELECT execution_id, j FROM executions, LATERAL (VALUES (input), (context), (output)) AS v(j)
      WHERE execution_id = ANY(CAST(:executions AS uuid[]))
      UNION ALL
      SELECT execution_id, j FROM node_executions, LATERAL (VALUES (input), (output), (metadata), (state)) AS v(j)
      WHERE execution_id = ANY(CAST(:executions AS uuid[]))
    ), named AS (
      SELECT DISTINCT execution_id, found[1] AS file_id
      FROM told, LATERAL regexp_matches(CAST(j AS text), '"file_id"\s*\:\s*"([0-9a-f-]{36})"', 'g') AS found
    )
    SELECT files.file_id FROM named
    JOIN executions USING (execution_id)
    JOIN files ON CAST(files.file_id AS text) = named.file_id
    WHERE files.tenant_id = :tenant AND files.created_at >= executions.created_at
    UNION
    SELECT files.file_id FROM channel_messages
    JOIN files ON CAST(files.file_id AS text) = channel_messages.file ->> 'file_id'
    WHERE contact_id = ANY(CAST(:contacts AS uuid[])) AND files.tenant_id = :tenant
    """
)
"""What came with messages, and what executions name that came after they began: older files may be everybody's."""


def contacts(session: Session, tenant_id: str, user_id: str, kind: str | None) -> Sequence[tuple[ContactRow, str]]:
    """The person of that id on the tenant's channels, of one kind or of any, and the kind of each channel."""
    wanted = select(ContactRow, ChannelRow.kind).join(ChannelRow, ChannelRow.channel_id == ContactRow.channel_id)
    wanted = wanted.where(ContactRow.tenant_id == tenant_id, ContactRow.user_id == user_id)
    if kind is not None:
        wanted = wanted.where(ChannelRow.kind == kind)
    return [(row[0], row[1]) for row in session.execute(wanted.order_by(ContactRow.contact_id))]


def linked(session: Session, tenant_id: str, contact_ids: Collection[str]) -> Sequence[tuple[ContactRow, str]]:
    """Where the person is written to instead, unless that is somebody else too, or of the staff; with the kind."""
    other = aliased(ContactRow)
    found = (
        select(ContactRow, ChannelRow.kind, ChannelRow.staff)
        .join(ChannelRow, ChannelRow.channel_id == ContactRow.channel_id)
        .join(other, other.fallback_contact_id == ContactRow.contact_id)
        .where(ContactRow.tenant_id == tenant_id, ContactRow.contact_id.not_in(contact_ids))
        .group_by(ContactRow.contact_id, ChannelRow.channel_id)
        .having(func.bool_and(other.contact_id.in_(contact_ids)))
    )
    return [(row[0], row[1]) for row in session.execute(found) if row[0].user_id not in row[2]]


def executions(session: Session, tenant_id: str, contact_ids: Collection[str], names: Collection[str]) -> list[str]:
    """What the person began or is named by, with its subflows and everything that was run again from it."""
    labels = [json.dumps({LABEL: name}) for name in names]
    values = {"tenant": tenant_id, "contacts": list(contact_ids), "labels": labels}
    return [str(each) for each in session.scalars(_FAMILY, values)]


def files(session: Session, tenant_id: str, contact_ids: Collection[str], execution_ids: Collection[str]) -> list[str]:
    """The person's files."""
    values = {"tenant": tenant_id, "contacts": list(contact_ids), "executions": list(execution_ids)}
    return [str(each) for each in session.scalars(_FILES, values)]


def count_messages(session: Session, contact_ids: Collection[str]) -> int:
    """How many messages came in and went out."""
    return sum(
        session.scalar(select(func.count()).select_from(table).where(table.contact_id.in_(contact_ids))) or 0
        for table in (ChannelMessageRow, OutboxRow)
    )


def hold(session: Session, execution_ids: Collection[str]) -> list[str]:
    """Holds these executions until the transaction ends; returns those that have not ended."""
    statement = select(ExecutionRow.execution_id, ExecutionRow.status).where(
        ExecutionRow.execution_id.in_(execution_ids)
    )
    rows = session.execute(statement.order_by(ExecutionRow.execution_id).with_for_update()).all()
    return [row.execution_id for row in rows if row.status not in _ENDED]


def still_open(session: Session, execution_ids: Collection[str]) -> Sequence[str]:
    """Those of the executions that have not ended."""
    open_ = and_(ExecutionRow.execution_id.in_(execution_ids), ExecutionRow.status.not_in(_ENDED))
    return session.scalars(select(ExecutionRow.execution_id).where(open_)).all()


def delete_all(
    session: Session, tenant_id: str, contact_ids: Collection[str], execution_ids: Collection[str]
) -> Mapping[str, int]:
    """Deletes the people, what came and went, and the executions with all that belongs to them; says how many rows.

    Conversations go first: an agent that writes to somebody holds its own until the message is there.
    """
    of_them = {
        "conversations": (ConversationRow, _of_either(ConversationRow, contact_ids, execution_ids)),
        "questions": (QuestionRow, _of_either(QuestionRow, contact_ids, execution_ids)),
        "messages_out": (OutboxRow, _of_either(OutboxRow, contact_ids, execution_ids)),
        "messages_in": (ChannelMessageRow, ChannelMessageRow.contact_id.in_(contact_ids)),
        "contacts": (ContactRow, ContactRow.contact_id.in_(contact_ids)),
    }
    counts = {name: _delete(session, table, where) for name, (table, where) in of_them.items()}
    belongings: tuple[Any, ...] = (NodeLogRow, SignalRow, ScheduleFiringRow)
    for table in belongings:
        _delete(session, table, table.execution_id.in_(execution_ids))
    _delete(session, IdempotencyKeyRow, _answers(tenant_id, execution_ids))
    rows: dict[str, Any] = {"events": EventRow, "nodes": NodeExecutionRow, "executions": ExecutionRow}
    for name, each in rows.items():
        counts[name] = _delete(session, each, each.execution_id.in_(execution_ids))
    return counts


def hide_files(session: Session, tenant_id: str, file_ids: Collection[str]) -> None:
    """Lets nobody see these files from now on, and makes them due for the sweep, whenever their content goes."""
    same = (FileRow.tenant_id == tenant_id, FileRow.file_id.in_(file_ids))
    now = func.clock_timestamp()
    session.execute(FileRow.__table__.update().where(*same).values(expires_at=now, name="erased"))  # type: ignore[attr-defined]  # a table has it


def _of_either(table: Any, contact_ids: Collection[str], execution_ids: Collection[str]) -> Any:
    return or_(table.contact_id.in_(contact_ids), table.execution_id.in_(execution_ids))


def _answers(tenant_id: str, execution_ids: Collection[str]) -> Any:
    """The kept answers to requests that started one of the executions."""
    started = IdempotencyKeyRow.body["execution_id"].as_string()
    return and_(IdempotencyKeyRow.tenant_id == tenant_id, started.in_(execution_ids))


def _delete(session: Session, table: Any, where: Any) -> int:
    statement = delete(table).where(where).execution_options(synchronize_session=False)
    found: Any = session.execute(statement)
    return int(found.rowcount)
