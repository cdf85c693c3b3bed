"""What services tell: verified over the raw bytes, kept once, and worked on afterwards."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import asdict
from typing import Any

from sqlalchemy.orm import Session

from aispine import logs
from aispine.channel import kinds
from aispine.channel.adapter import Notice
from aispine.channel.management import open_credentials, unknown
from aispine.channel.message import STATUS, Incoming, Report
from aispine.errors import Forbidden, InvalidRequest, Unauthenticated
from aispine.secrets.sealing import fingerprints
from aispine.settings import Settings
from aispine.store import channel_messages, channels, erasures, outbox
from aispine.store.database import Store
from aispine.store.ids import is_id
from aispine.store.models import ChannelRow

_log = logs.get(__name__)


def challenge(store: Store, channel_id: str, query: Mapping[str, str], settings: Settings) -> str:
    """The answer to a service that asks whether the webhook is ours. Raises `NotFound` and `Forbidden`."""
    row = _find(store, channel_id)
    answer = kinds.adapter(row.kind).handshake(open_credentials(row, settings), query)
    if answer is None:
        raise Forbidden("the verify token is not this channel's")
    return answer


def receive(store: Store, channel_id: str, headers: Mapping[str, str], raw: bytes, settings: Settings) -> set[str]:
    """Keeps what a webhook tells and returns the contacts that it concerns; what came before is not kept again.

    Raises `NotFound`, `Unauthenticated` when it is not from the service, and `InvalidRequest` when it is no JSON.
    """
    row = _find(store, channel_id)
    adapter = kinds.adapter(row.kind)
    if not adapter.verify(open_credentials(row, settings), headers, raw):
        raise Unauthenticated("the signature of the webhook is missing or wrong")
    notices = adapter.read(_parse(raw))
    with store.session(row.tenant_id) as session:
        return _keep(session, row, notices, settings)


def _find(store: Store, channel_id: str) -> ChannelRow:
    row = None
    if is_id(channel_id):
        with store.autocommit() as link:
            row = channels.find_unasked(link, channel_id)
    if row is None:
        raise unknown(channel_id)
    return row


def _parse(raw: bytes) -> Any:
    try:
        return json.loads(raw)
    except (ValueError, RecursionError) as error:
        raise InvalidRequest("The body is not valid JSON") from error


def _keep(session: Session, asked: ChannelRow, notices: Iterable[Notice], settings: Settings) -> set[str]:
    rows: dict[str | None, ChannelRow | None] = {None: asked, asked.address: asked}
    concerned = set()
    for notice in notices:
        if notice.address not in rows:
            # One app may have several numbers and one webhook; another tenant's number is never among them.
            rows[notice.address] = channels.of_address(session, asked.tenant_id, asked.kind, str(notice.address))
        row = rows[notice.address]
        if row is None or notice.what is None:
            _log.info("channel.not_kept", channel=asked.channel_id, address=notice.address, event_kind=notice.event)
            continue
        contact_id = _keep_one(session, row, notice.what, settings)
        if contact_id is not None:
            concerned.add(contact_id)
    return concerned


def _keep_one(session: Session, row: ChannelRow, what: Incoming | Report, settings: Settings) -> str | None:
    """The contact that has something new; None when it was kept before, or is about somebody who was erased."""
    if isinstance(what, Report):
        contact_id, kind, status, body = _receiver(session, row, what), STATUS, what.status, asdict(what)
    else:
        contact_id, kind, status, body = _sender(session, row, what, settings), str(what.kind), "", _plain(what)
    if contact_id is None:
        _log.info("channel.not_kept", channel=row.channel_id, event_kind="of nobody")
        return None
    is_new = channel_messages.add(
        session, row, contact_id, message_id=what.message_id, kind=kind, status=status, body=body
    )
    return contact_id if is_new else None


def _receiver(session: Session, row: ChannelRow, report: Report) -> str | None:
    """Whom a report is about; a service may write a number in another way than the one that we sent to."""
    known = channels.find_contact(session, row.channel_id, report.user_id)
    return known or outbox.receiver(session, row.channel_id, report.opaque, report.message_id)


def _sender(session: Session, row: ChannelRow, message: Incoming, settings: Settings) -> str | None:
    """Who writes, which may be somebody new; None for what somebody wrote who was erased."""
    known = channels.wrote(session, row.channel_id, message.user_id, message.name)
    if known is None and not _was_erased(session, row, message, settings):
        return channels.contact(session, row, message.user_id, message.name, wrote=True)
    return known


def _was_erased(session: Session, row: ChannelRow, message: Incoming, settings: Settings) -> bool:
    """True for a message that comes again, or late, from before its sender was erased."""
    if message.sent_at is None:
        return False
    found = fingerprints(f"{row.kind}:{message.user_id}", settings.encryption_keys)
    return erasures.since(session, row.tenant_id, found, message.sent_at)


def _plain(message: Incoming) -> dict[str, Any]:
    sent_at = None if message.sent_at is None else message.sent_at.isoformat()
    return {name: value for name, value in {**asdict(message), "sent_at": sent_at}.items() if value not in (None, {})}
