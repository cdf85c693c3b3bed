"""The tables of channels and of the people on them."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any, Final

from sqlalchemy import Select, func, or_, select, update
from sqlalchemy.orm import Session

from aispine.store.database import link
from aispine.store.ids import new_id
from aispine.store.models import ChannelRow, ContactRow
from aispine.store.prepared import Link, Statement

SENDING: Final = "sending"
READING: Final = "reading"


def find(session: Session, tenant_id: str, channel_id: str) -> ChannelRow | None:
    return session.scalar(select(ChannelRow).filter_by(tenant_id=tenant_id, channel_id=channel_id))


def find_unasked(over: Link, channel_id: str) -> ChannelRow | None:
    """The channel of that id, whosever it is; works while no tenant is set, in one round trip."""
    named = over.filled("SELECT set_config('aispine.channel_id', %s, true)", (channel_id,))
    row = _UNASKED.one(over, channel_id, before=named)
    return None if row is None else ChannelRow(**row._asdict() | {"channel_id": channel_id})


_UNASKED: Final = Statement(
    "channel_unasked",
    "uuid",
    """
    SELECT channel_id, tenant_id, kind, name, address, flow_id, staff, credentials, created_at, updated_at
    FROM channels WHERE channel_id = $1
    """,
)


def of_address(session: Session, tenant_id: str, kind: str, address: str) -> ChannelRow | None:
    return session.scalar(select(ChannelRow).filter_by(tenant_id=tenant_id, kind=kind, address=address))


def page(session: Session, tenant_id: str, *, after: str | None, limit: int) -> Sequence[ChannelRow]:
    """Channels in the order in which they were made, from the one after `after` on."""
    statement = select(ChannelRow).where(ChannelRow.tenant_id == tenant_id)
    if after is not None:
        statement = statement.where(ChannelRow.channel_id > after)
    return session.scalars(statement.order_by(ChannelRow.channel_id).limit(limit)).all()


def contact(session: Session, channel: ChannelRow, user_id: str, name: str | None = None, *, wrote: bool) -> str:
    """The contact's id; made when there is none. `wrote` when it is a message of that person that is seen now."""
    values = (new_id(), channel.tenant_id, channel.channel_id, user_id, name, wrote)
    return str(_CONTACT.one(link(session), *values).contact_id)


_CONTACT: Final = Statement(
    "contact",
    "uuid, text, uuid, text, text, boolean",
    """
    INSERT INTO contacts (contact_id, tenant_id, channel_id, user_id, name, wrote_at)
    VALUES ($1, $2, $3, $4, $5, CASE WHEN $6 THEN now() END)
    ON CONFLICT (channel_id, user_id) DO UPDATE
    SET name = coalesce(excluded.name, contacts.name), wrote_at = coalesce(excluded.wrote_at, contacts.wrote_at)
    RETURNING contact_id
    """,
)


def wrote(session: Session, channel_id: str, user_id: str, name: str | None) -> str | None:
    """Notes that a contact has written just now; returns its id, None when there is none."""
    row = _WROTE.one(link(session), channel_id, user_id, name)
    return None if row is None else str(row.contact_id)


_WROTE: Final = Statement(
    "contact_wrote",
    "uuid, text, text",
    """
    UPDATE contacts SET name = coalesce($3, name), wrote_at = now() WHERE channel_id = $1 AND user_id = $2
    RETURNING contact_id
    """,
)


def find_contact(session: Session, channel_id: str, user_id: str) -> str | None:
    """The id of the contact, None when there is none."""
    return session.scalar(select(ContactRow.contact_id).filter_by(channel_id=channel_id, user_id=user_id))


def set_fallback(session: Session, contact_id: str, fallback_contact_id: str) -> None:
    same = update(ContactRow).where(ContactRow.contact_id == contact_id)
    session.execute(same.values(fallback_contact_id=fallback_contact_id))


def lock_contact(session: Session, contact_id: str) -> ContactRow:
    """The contact, held until the transaction ends, so that a question and an answer cannot miss each other."""
    return session.scalars(select(ContactRow).filter_by(contact_id=contact_id).with_for_update()).one()


def hold(session: Session, contact_id: str, what: str, owner: str, seconds: float) -> bool:
    """Takes or renews the lease of what is done for a contact; False while somebody else has it."""
    return _HOLD[what].one(link(session), contact_id, owner, seconds) is not None


def let_go(session: Session, contact_id: str, what: str, owner: str) -> None:
    """Gives a lease back; one that somebody else has by now stays."""
    _LET_GO[what].run(link(session), contact_id, owner)


_HOLD: Final = {
    what: Statement(
        f"hold_for_{what}",
        "uuid, text, float8",
        f"""
        UPDATE contacts SET {what}_owner = $2, {what}_until = clock_timestamp() + make_interval(secs => $3)
        WHERE contact_id = $1 AND ({what}_until IS NULL OR {what}_until < clock_timestamp()
            OR {what}_owner = $2 OR {what}_owner IS NULL)
        RETURNING contact_id
        """,
    )
    for what in (SENDING, READING)
}
_LET_GO: Final = {
    what: Statement(
        f"let_go_of_{what}",
        "uuid, text",
        f"UPDATE contacts SET {what}_owner = NULL, {what}_until = NULL WHERE contact_id = $1 AND {what}_owner = $2",
    )
    for what in (SENDING, READING)
}


def remind(session: Session, what: str, due: Select[Any], *, seconds: float, limit: int) -> Sequence[str]:
    """Those of the contacts whom nobody serves; none of them is told again within `seconds`.

    A backlog of workers is so no reason to send the same message over and over.
    """
    held, until = _lease(what)
    free = or_(until.is_(None), until < func.clock_timestamp())
    found = select(ContactRow.contact_id).where(ContactRow.contact_id.in_(due), free)
    locked = found.limit(limit).with_for_update(skip_locked=True)
    told = update(ContactRow).where(ContactRow.contact_id.in_(locked.scalar_subquery()))
    values = {held: None, until: func.clock_timestamp() + func.make_interval(0, 0, 0, 0, 0, 0, seconds)}
    return session.scalars(told.values(values).returning(ContactRow.contact_id)).all()


def _lease(what: str) -> tuple[Any, Any]:
    if what == SENDING:
        return ContactRow.sending_owner, ContactRow.sending_until
    return ContactRow.reading_owner, ContactRow.reading_until


def now(session: Session) -> datetime:
    """The database's time."""
    told: datetime = session.scalars(select(func.clock_timestamp())).one()
    return told
