"""The tables of channels and of the people on them."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any, Final

from sqlalchemy import Select, func, or_, select, text, update
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from aispine.store.ids import new_id
from aispine.store.models import ChannelRow, ContactRow

SENDING: Final = "sending"
READING: Final = "reading"


def find(session: Session, tenant_id: str, channel_id: str) -> ChannelRow | None:
    return session.scalar(select(ChannelRow).filter_by(tenant_id=tenant_id, channel_id=channel_id))


def find_unasked(session: Session, channel_id: str) -> ChannelRow | None:
    """The channel of that id, whosever it is; works before a tenant is set."""
    session.execute(text("SELECT set_config('aispine.channel_id', :id, true)"), {"id": channel_id})
    return session.get(ChannelRow, channel_id)


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
    statement = insert(ContactRow).values(
        contact_id=new_id(),
        tenant_id=channel.tenant_id,
        channel_id=channel.channel_id,
        user_id=user_id,
        name=name,
        wrote_at=func.now() if wrote else None,
    )
    changed = {
        "name": func.coalesce(statement.excluded.name, ContactRow.name),
        "wrote_at": func.coalesce(statement.excluded.wrote_at, ContactRow.wrote_at),
    }
    same = statement.on_conflict_do_update(index_elements=["channel_id", "user_id"], set_=changed)
    return session.execute(same.returning(ContactRow.contact_id)).scalar_one()


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
    held, until = _lease(what)
    free = or_(until.is_(None), until < func.clock_timestamp(), held == owner, held.is_(None))
    statement = update(ContactRow).where(ContactRow.contact_id == contact_id, free).returning(ContactRow.contact_id)
    values = {held: owner, until: func.clock_timestamp() + func.make_interval(0, 0, 0, 0, 0, 0, seconds)}
    return session.execute(statement.values(values)).first() is not None


def let_go(session: Session, contact_id: str, what: str, owner: str) -> None:
    """Gives a lease back; one that somebody else has by now stays."""
    held, until = _lease(what)
    statement = update(ContactRow).where(ContactRow.contact_id == contact_id, held == owner)
    session.execute(statement.values({held: None, until: None}))


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
