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
from aispine.channel.adapter import Fetched, MediaError
from aispine.channel.management import line
from aispine.channel.message import STATUS, Media
from aispine.conversation import notices, routing
from aispine.conversation.routing import Routed
from aispine.engine.start import announce
from aispine.errors import AISpineError, StoreUnavailable
from aispine.files import TenantFiles
from aispine.settings import Settings
from aispine.store import channel_messages, channels
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
    file = _file(reader, job)
    with reader.store.session(None) as session:
        routed = _route(session, job, file)
    _follow(routed)


def _file(reader: Reader, job: _Job) -> Mapping[str, Any] | None:
    """The reference of the file that came with the message, fetched and kept now. Raises `MediaError`."""
    told = job.row.body.get("media")
    if told is None:
        return None
    fetched = kinds.adapter(job.channel.kind).fetch(line(job.channel, reader.settings), Media(**told))
    return _keep(reader, job, fetched)


def _keep(reader: Reader, job: _Job, fetched: Fetched) -> Mapping[str, Any]:
    files = TenantFiles(store=reader.store, tenant_id=job.row.tenant_id, settings=reader.settings)
    stored = files.put(fetched.content, name=fetched.name or job.row.kind, declared_type=fetched.media_type)
    return stored.reference.as_dict()


def _route(session: Session, job: _Job, file: Mapping[str, Any] | None) -> Routed:
    routed = routing.route(session, job.channel, job.contact, job.row, file)
    channel_messages.done(session, job.row.seq, file=file, execution_id=routed.execution_id, error=routed.error)
    return routed


def _follow(routed: Routed) -> None:
    if routed.started and routed.execution_id is not None:
        announce(routed.execution_id, str(routed.flow_id))


def _put_off(store: Store, row: ChannelMessageRow, error: Mapping[str, Any], *, again: bool) -> None:
    """Something that cannot be read is tried again a few times, and then recorded and left behind."""
    _log.warning("conversation.not_read", message=row.seq, again=again, error=error)
    with store.session(None) as session:
        if again and row.attempts + 1 < MOST_ATTEMPTS:
            channel_messages.postpone(session, row.seq, 2.0 * 2**row.attempts)
        else:
            channel_messages.done(session, row.seq, error=error)
