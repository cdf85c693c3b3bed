"""The table of messages that go out."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from sqlalchemy import Select, bindparam, false, func, or_, select, update
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from aispine.store.ids import is_id, new_id
from aispine.store.models import ContactRow, OutboxRow


def put(
    session: Session,
    contact: ContactRow,
    message: Mapping[str, Any],
    *,
    key: str,
    delay: float = 0.0,
    execution_id: str | None = None,
    path: str | None = None,
    fallback_of: str | None = None,
) -> str:
    """Adds a message unless one with the same `key` is there; returns the id of the one that is."""
    statement = insert(OutboxRow).values(
        outbox_id=new_id(),
        tenant_id=contact.tenant_id,
        channel_id=contact.channel_id,
        contact_id=contact.contact_id,
        idempotency_key=key,
        message=message,
        status="queued",
        execution_id=execution_id,
        path=path,
        fallback_of=fallback_of,
        due_at=_in(delay),
    )
    made = session.scalar(statement.on_conflict_do_nothing().returning(OutboxRow.outbox_id))
    same = select(OutboxRow.outbox_id).filter_by(tenant_id=contact.tenant_id, idempotency_key=key)
    return made if made is not None else session.scalars(same).one()


def find(session: Session, tenant_id: str, outbox_id: str) -> OutboxRow | None:
    return session.scalar(select(OutboxRow).filter_by(tenant_id=tenant_id, outbox_id=outbox_id))


def lock(session: Session, outbox_id: str) -> OutboxRow | None:
    return session.scalar(select(OutboxRow).filter_by(outbox_id=outbox_id).with_for_update())


def lock_outside(session: Session, channel_id: str, outside_id: str) -> OutboxRow | None:
    """The message that the service calls so."""
    same = select(OutboxRow).filter_by(channel_id=channel_id, outside_id=outside_id)
    return session.scalar(same.with_for_update())


def receiver(session: Session, channel_id: str, opaque: str | None, outside_id: str) -> str | None:
    """The contact of the message that a report is about, by our id or by the service's."""
    ours = OutboxRow.outbox_id == opaque if opaque is not None and is_id(opaque) else false()
    same = or_(ours, OutboxRow.outside_id == outside_id)
    return session.scalar(select(OutboxRow.contact_id).where(OutboxRow.channel_id == channel_id, same).limit(1))


def next_due(session: Session, contact_id: str) -> OutboxRow | None:
    """What goes to a contact next; None while it is not due, since what is behind it may not overtake it.

    A message that was put off on purpose lets the others go before it.
    """
    found = session.execute(_NEXT, {"contact_id": contact_id}).one_or_none()
    return found[0] if found is not None and found[1] else None


_NEXT: Final = (
    select(OutboxRow, func.clock_timestamp() >= OutboxRow.due_at)
    .where(OutboxRow.contact_id == bindparam("contact_id"), OutboxRow.due_at.is_not(None))
    .where(or_(OutboxRow.due_at <= func.clock_timestamp(), OutboxRow.attempts > 0))
    .order_by(OutboxRow.seq)
    .limit(1)
    .with_for_update()
)


def change(session: Session, outbox_id: str, *, delay: float | None = None, **values: Any) -> None:
    """Writes what is known of a message; it is due in `delay` seconds, or never again."""
    due_at = None if delay is None else _in(delay)
    statement = update(OutboxRow).where(OutboxRow.outbox_id == outbox_id)
    session.execute(statement.values(due_at=due_at, updated_at=func.clock_timestamp(), **values))


def hold_back(session: Session, contact_id: str, seconds: float, error: Mapping[str, Any]) -> None:
    """Puts the next message to a contact off for the reason that held back the one before, and so all behind it."""
    waiting = OutboxRow.contact_id == contact_id, OutboxRow.due_at <= _in(seconds)
    following = select(OutboxRow.outbox_id).where(*waiting).order_by(OutboxRow.seq).limit(1)
    statement = update(OutboxRow).where(OutboxRow.outbox_id == following.scalar_subquery())
    # What was tried before lets nothing overtake it.
    session.execute(statement.values(due_at=_in(seconds), attempts=OutboxRow.attempts + 1, error=dict(error)))


def due_contacts(older_than: float) -> Select[Any]:
    """Contacts with a message that has been due for longer than `older_than` seconds."""
    ago = func.clock_timestamp() - func.make_interval(0, 0, 0, 0, 0, 0, older_than)
    return select(OutboxRow.contact_id).where(OutboxRow.due_at <= ago)


def _in(seconds: float) -> Any:
    return func.clock_timestamp() + func.make_interval(0, 0, 0, 0, 0, 0, seconds)
