"""The table of what came in over channels."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Final

from sqlalchemy import Select, bindparam, func, select, update
from sqlalchemy.orm import Session

from aispine.store.database import dumps, link
from aispine.store.models import ChannelMessageRow, ChannelRow
from aispine.store.prepared import Statement


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
    values = (channel.tenant_id, channel.channel_id, contact_id, message_id, kind, status, dumps(body))
    return _ADD.one(link(session), *values) is not None


_ADD: Final = Statement(
    "channel_message",
    "text, uuid, uuid, text, text, text, json",
    """
    INSERT INTO channel_messages (tenant_id, channel_id, contact_id, message_id, kind, status, body, due_at)
    VALUES ($1, $2, $3, $4, $5, $6, $7, clock_timestamp())
    ON CONFLICT DO NOTHING RETURNING seq
    """,
)


def next_due(session: Session, contact_id: str) -> ChannelMessageRow | None:
    """The oldest thing from or about a contact that nobody has worked on, when its time has come."""
    found = session.execute(_OLDEST_OPEN, {"contact_id": contact_id}).one_or_none()
    return found[0] if found is not None and found[1] else None


_OLDEST_OPEN: Final = (
    select(ChannelMessageRow, func.clock_timestamp() >= ChannelMessageRow.due_at)
    .where(ChannelMessageRow.contact_id == bindparam("contact_id"), ChannelMessageRow.due_at.is_not(None))
    .order_by(ChannelMessageRow.seq)
    .limit(1)
)


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
