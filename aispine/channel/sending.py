"""Sending what is in the outbox: to each person one message after the other, at least once.

A worker holds a person's lease while it sends. One that dies leaves the message as `sending`, and it is sent again,
unless the service has reported on it meanwhile.
"""

from __future__ import annotations

import random
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

from sqlalchemy.orm import Session

from aispine import logs
from aispine.channel import kinds, message
from aispine.channel.adapter import Parcel, Refusal, Sent
from aispine.channel.management import line
from aispine.channel.message import Outgoing, SendStatus
from aispine.errors import AISpineError, InvalidRequest
from aispine.files import TenantFiles
from aispine.flow.status import NodeStatus
from aispine.settings import Settings
from aispine.store import channels, node_results, outbox
from aispine.store.database import Store
from aispine.store.ids import new_id
from aispine.store.models import ChannelRow, ContactRow, OutboxRow

LEASE: Final = 120.0
"""Seconds for which a person's lease is held; longer than the longest call."""
MOST_ATTEMPTS: Final = 8
WHILE: Final = "while"
"""The key of a message under which the node stands that has to wait still when it is sent."""
_LONGEST_DELAY: Final = 3600.0
_WINDOW: Final = 24 * 3600.0
"""Seconds after a person's last message within which WhatsApp takes more than templates."""

_log = logs.get(__name__)


@dataclass(frozen=True, kw_only=True, slots=True)
class _Job:
    """A message that goes out now, with all that is needed once no transaction is open."""

    row: OutboxRow
    channel: ChannelRow
    contact: ContactRow
    window_open: bool


def send_due(store: Store, contact_id: str, settings: Settings) -> set[str]:
    """Sends what is due to a person; returns the contacts for whom there is something new, such as a fallback."""
    owner, others = new_id(), set()
    while (job := _next(store, contact_id, owner)) is not None:
        outcome = _send(store, job, settings)
        with store.session(None) as session:
            row = outbox.lock(session, job.row.outbox_id)
            if row is not None:
                other = _record(session, row, outcome)
                others |= {other} if other is not None and other != contact_id else set()
    return others


def _next(store: Store, contact_id: str, owner: str) -> _Job | None:
    with store.session(None) as session:
        if not channels.hold(session, contact_id, channels.SENDING, owner, LEASE):
            return None
        row = _next_wanted(session, contact_id)
        if row is None:
            channels.let_go(session, contact_id, channels.SENDING, owner)
            return None
        row.status, row.attempts = SendStatus.SENDING, row.attempts + 1
        channel, contact = session.get_one(ChannelRow, row.channel_id), session.get_one(ContactRow, contact_id)
        return _Job(row=row, channel=channel, contact=contact, window_open=_window_open(session, contact))


def _next_wanted(session: Session, contact_id: str) -> OutboxRow | None:
    """What goes out next; a reminder of what was done meanwhile is dropped."""
    while (row := outbox.next_due(session, contact_id)) is not None:
        waits = row.message.get(WHILE)
        if waits is None or _is_waiting(session, waits):
            return row
        outbox.change(session, row.outbox_id, status=SendStatus.DROPPED)
    return None


def _is_waiting(session: Session, waits: Mapping[str, str]) -> bool:
    node = node_results.find(session, waits["execution_id"], waits["path"])
    return node is not None and node.status in {NodeStatus.WAITING, NodeStatus.PENDING}


def _window_open(session: Session, contact: ContactRow) -> bool:
    wrote_at = contact.wrote_at
    return wrote_at is not None and (channels.now(session) - wrote_at).total_seconds() < _WINDOW


def _send(store: Store, job: _Job, settings: Settings) -> Sent | Refusal:
    """Every failure is a refusal: one message must not keep a person's others back for ever."""
    try:
        going = message.outgoing({name: value for name, value in job.row.message.items() if name != WHILE})
        adapter = kinds.adapter(job.channel.kind)
        if job.channel.kind == "whatsapp" and going.template is None and not job.window_open:
            return Refusal(code="window_closed", message="the person has not written for 24 hours; send a template")
        adapter.check_outgoing(going)
        parcel = Parcel(
            outbox_id=job.row.outbox_id,
            user_id=job.contact.user_id,
            message=going,
            content=_content(store, job, going, settings),
        )
        return adapter.send(line(job.channel, settings), parcel)
    except InvalidRequest as error:
        return Refusal(code="rejected", message=error.message)
    except AISpineError as error:
        retry_after = 5.0 if error.status == 503 else None
        return Refusal(code=error.code, message=error.message, retry_after=retry_after)


def _content(store: Store, job: _Job, going: Outgoing, settings: Settings) -> bytes | None:
    if going.file is None:
        return None
    return TenantFiles(store=store, tenant_id=job.row.tenant_id, settings=settings).read(going.file)


def _record(session: Session, row: OutboxRow, outcome: Sent | Refusal) -> str | None:
    if isinstance(outcome, Refusal):
        return refused(session, row, outcome)
    if SendStatus(row.status).rank < SendStatus.SENT.rank:
        held_back = row.error or {}
        outbox.change(session, row.outbox_id, status=SendStatus.SENT, outside_id=outcome.outside_id, error=None)
        pace = held_back.get("detail", {}).get("pace")
        if pace is not None:
            outbox.hold_back(session, row.contact_id, pace, held_back)
    elif row.outside_id is None:
        outbox.change(session, row.outbox_id, outside_id=outcome.outside_id)
    return None


def refused(session: Session, row: OutboxRow, refusal: Refusal) -> str | None:
    """Puts a refused message off, or gives it up and sends it to where the person is linked to.

    Returns the contact who has something to be sent now, if any.
    """
    error: dict[str, Any] = {"code": refusal.code, "message": refusal.message, "detail": dict(refusal.detail)}
    if refusal.retry_after is not None and row.attempts < MOST_ATTEMPTS:
        delay = _delay(refusal.retry_after, row.attempts)
        outbox.change(session, row.outbox_id, delay=delay, status=SendStatus.QUEUED, error=error)
        return None
    _log.warning("outbox.refused", message=row.outbox_id, code=refusal.code, attempts=row.attempts)
    fallback = _fallback(session, row)
    if fallback is not None:
        error["fallback"] = {"channel_id": fallback.channel_id, "user_id": fallback.user_id}
    outbox.change(session, row.outbox_id, status=SendStatus.FAILED, error=error)
    return None if fallback is None else fallback.contact_id


def _delay(least: float, attempts: int) -> float:
    """Doubled with each attempt and never less than the service asks for."""
    delay = min(least * 2 ** max(attempts - 1, 0), max(_LONGEST_DELAY, least))
    return float(delay * random.uniform(1.0, 1.1))  # noqa: S311 - spreads what would come at once


def _fallback(session: Session, row: OutboxRow) -> ContactRow | None:
    """The same message to the linked contact; a message that came from there goes no further."""
    contact = session.get_one(ContactRow, row.contact_id)
    if contact.fallback_contact_id is None or row.fallback_of is not None:
        return None
    other = session.get_one(ContactRow, contact.fallback_contact_id)
    outbox.put(
        session,
        other,
        row.message,
        key=f"fallback:{row.outbox_id}",
        execution_id=row.execution_id,
        path=row.path,
        fallback_of=row.outbox_id,
    )
    return other
