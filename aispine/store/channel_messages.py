"""The table of what came in over channels."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from sqlalchemy import Select, func, select, update
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from aispine.store.models import ChannelMessageRow, ChannelRow


def add(
    session: Session,
    channel: ChannelRow,
    contact_id: str,
    *,
    message_id: str,
    kind: str,
    status: str,
    body: Mapping[str, Any],
) -> bool:
    """Adds what came in, due at once; False when it is there already."""
    statement = insert(ChannelMessageRow).values(
        tenant_id=channel.tenant_id,
        channel_id=channel.channel_id,
        contact_id=contact_id,
        message_id=message_id,
        kind=kind,
        status=status,
        body=body,
        due_at=func.clock_timestamp(),
    )
    return session.scalar(statement.on_conflict_do_nothing().returning(ChannelMessageRow.seq)) is not None


def next_due(session: Session, contact_id: str) -> ChannelMessageRow | None:
    """The oldest thing from or about a contact that nobody has worked on, when its time has come."""
    open_ = select(ChannelMessageRow).where(
        ChannelMessageRow.contact_id == contact_id, ChannelMessageRow.due_at.is_not(None)
    )
    row = session.scalar(open_.order_by(ChannelMessageRow.seq).limit(1))
    due = row is not None and session.scalar(select(func.clock_timestamp() >= row.due_at))
    return row if due else None


def postpone(session: Session, seq: int, seconds: float) -> None:
    """Sets when it is worked on again."""
    later = func.clock_timestamp() + func.make_interval(0, 0, 0, 0, 0, 0, seconds)
    values = {"due_at": later, "attempts": ChannelMessageRow.attempts + 1}
    session.execute(update(ChannelMessageRow).where(ChannelMessageRow.seq == seq).values(values))


def change(session: Session, seq: int, **values: Any) -> None:
    """Keeps what is known of something that is not worked off yet."""
    session.execute(update(ChannelMessageRow).where(ChannelMessageRow.seq == seq).values(**values))


def done(session: Session, seq: int, **values: Any) -> None:
    """It was worked on; `values` are what came of it."""
    change(session, seq, due_at=None, **values)


def unused_files(session: Session, execution_id: str) -> Sequence[ChannelMessageRow]:
    """Messages of an execution whose file nobody has used, in the order in which they came."""
    wanted = select(ChannelMessageRow).where(
        ChannelMessageRow.execution_id == execution_id,
        ChannelMessageRow.file.is_not(None),
        ChannelMessageRow.used_by.is_(None),
    )
    return session.scalars(wanted.order_by(ChannelMessageRow.seq)).all()


def use(session: Session, seq: int, path: str) -> None:
    """A node has used the message."""
    change(session, seq, used_by=path)


def due_contacts(older_than: float) -> Select[Any]:
    """Contacts with something that has been due for longer than `older_than` seconds."""
    ago = func.clock_timestamp() - func.make_interval(0, 0, 0, 0, 0, 0, older_than)
    return select(ChannelMessageRow.contact_id).where(ChannelMessageRow.due_at <= ago)
