"""Reading what came in, in its order for each person: reports first to the outbox, messages to their conversation.

A worker holds a person's lease while it reads, so that two webhooks at once are read one after the other.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

from celery import Celery
from sqlalchemy.orm import Session

from aispine import logs
from aispine.channel import kinds, reports
from aispine.channel.adapter import MediaError
from aispine.channel.management import line
from aispine.channel.message import STATUS
from aispine.conversation import answering, arrivals, notices, presses, routing
from aispine.conversation.answering import Ending
from aispine.conversation.arrivals import Arrival
from aispine.conversation.presses import Pressed
from aispine.conversation.routing import Routed
from aispine.engine.dispatch import Dispatch
from aispine.engine.start import announce
from aispine.errors import AISpineError, StoreUnavailable
from aispine.settings import Settings
from aispine.store import channel_messages, channels, outbox
from aispine.store.database import Store
from aispine.store.ids import new_id
from aispine.store.models import ChannelMessageRow, ChannelRow, ContactRow

LEASE: Final = 180.0
MOST_ATTEMPTS: Final = 6

_log = logs.get(__name__)


@dataclass(frozen=True, kw_only=True)
class Reader:
    """What a worker process reads with."""

    store: Store
    celery: Celery
    settings: Settings
    dispatch: Dispatch


@dataclass(frozen=True, kw_only=True, slots=True)
class _Job:
    row: ChannelMessageRow
    channel: ChannelRow
    contact: ContactRow


def read(reader: Reader, contact_id: str) -> None:
    """Reads everything that is due from or about a contact, unless somebody else does."""
    owner = new_id()
    while (job := _next(reader.store, contact_id, owner)) is not None:
        _try_to_read(reader, job)


def _try_to_read(reader: Reader, job: _Job) -> None:
    """One message that cannot be read keeps no others back."""
    try:
        _read_one(reader, job)
    except StoreUnavailable:
        raise
    except MediaError as error:
        _put_off(reader.store, job.row, {"code": error.code, "message": str(error)}, again=error.retryable)
    except AISpineError as error:
        _put_off(reader.store, job.row, {"code": error.code, "message": error.message}, again=error.status >= 500)
    except Exception as error:  # noqa: BLE001 - recorded, in the log and with the message
        _log.exception("conversation.failed", message=job.row.seq)
        problem = {"code": AISpineError.code, "message": f"{type(error).__name__}: {error}"[:500]}
        _put_off(reader.store, job.row, problem, again=True)


def _next(store: Store, contact_id: str, owner: str) -> _Job | None:
    with store.session(None) as session:
        if not channels.hold(session, contact_id, channels.READING, owner, LEASE):
            return None
        row = channel_messages.next_due(session, contact_id)
        if row is None:
            channels.let_go(session, contact_id, channels.READING, owner)
            return None
        channel, contact = session.get_one(ChannelRow, row.channel_id), session.get_one(ContactRow, row.contact_id)
        return _Job(row=row, channel=channel, contact=contact)


def _read_one(reader: Reader, job: _Job) -> None:
    if job.row.kind == STATUS:
        with reader.store.session(None) as session:
            other = reports.apply(session, job.channel, job.row.body)
            channel_messages.done(session, job.row.seq)
        notices.to_send(reader.celery, [other] if other else [])
        return
    own = line(job.channel, reader.settings)
    arrival = arrivals.fetch(reader.store, reader.settings, job.channel.kind, own, job.row)
    _acknowledge(reader, job)
    with reader.store.session(None) as session:
        contact = channels.lock_contact(session, job.contact.contact_id)
        pressed = presses.find(session, contact, job.row.body)
        routed = None if pressed is not None and pressed.approval else _route(session, job, contact, arrival, pressed)
    if routed is not None:
        _follow(reader, job, routed)
    elif pressed is not None and pressed.approval is not None:
        _approve(reader, job, pressed.approval)


def _acknowledge(reader: Reader, job: _Job) -> None:
    """Tells the service that a pressed button was seen; that it could not be told harms nobody."""
    if job.row.body.get("choice") is not None:
        kinds.adapter(job.channel.kind).acknowledge(line(job.channel, reader.settings), job.row.body)


def _route(session: Session, job: _Job, contact: ContactRow, arrival: Arrival, pressed: Pressed | None) -> Routed:
    """Finds where the message belongs; one that ends a node stays due until the node has it."""
    routed = routing.route(session, job.channel, contact, job.row, arrival.file, pressed)
    error = routed.error or arrival.problem
    known = {"file": arrival.file, "execution_id": routed.execution_id, "error": error}
    keep = channel_messages.done if routed.ending is None else channel_messages.change
    keep(session, job.row.seq, **known)
    return routed


def _follow(reader: Reader, job: _Job, routed: Routed) -> None:
    if routed.started and routed.execution_id is not None:
        announce(routed.execution_id, str(routed.flow_id))
    if routed.ending is not None:
        _hand_over(reader, job, routed.ending)
    notices.to_send(reader.celery, [job.contact.contact_id])


def _hand_over(reader: Reader, job: _Job, ending: Ending) -> None:
    if not answering.hand_over(reader.dispatch, ending):
        with reader.store.session(None) as session:
            channel_messages.postpone(session, job.row.seq, answering.SOON)
        return
    with reader.store.session(None) as session:
        answering.close(session, ending, job.row.seq)
        channel_messages.done(session, job.row.seq)


def _approve(reader: Reader, job: _Job, approval: Mapping[str, Any]) -> None:
    """Answers an approval, and tells the member of the staff what came of it."""
    problem = presses.approve(reader.dispatch, job.channel, job.contact, approval)
    with reader.store.session(None) as session:
        error = None if problem is None else {"code": "conflict", "message": problem}
        told = "OK" if problem is None else problem
        outbox.put(session, job.contact, {"text": told}, key=f"told:{job.row.seq}")
        channel_messages.done(session, job.row.seq, execution_id=approval["execution_id"], error=error)
    notices.to_send(reader.celery, [job.contact.contact_id])


def _put_off(store: Store, row: ChannelMessageRow, error: Mapping[str, Any], *, again: bool) -> None:
    """Something that cannot be read is tried again a few times, and then recorded and left behind."""
    _log.warning("conversation.not_read", message=row.seq, again=again, error=error)
    with store.session(None) as session:
        if again and row.attempts + 1 < MOST_ATTEMPTS:
            channel_messages.postpone(session, row.seq, 2.0 * 2**row.attempts)
        else:
            channel_messages.done(session, row.seq, error=error)
