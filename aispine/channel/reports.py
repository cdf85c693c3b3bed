"""How messages fare that went out: a report raises what is known and never lowers it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from sqlalchemy.orm import Session

from aispine.channel import sending
from aispine.channel.adapter import Refusal
from aispine.channel.message import SendStatus
from aispine.store import outbox
from aispine.store.ids import is_id
from aispine.store.models import ChannelRow, OutboxRow


def apply(session: Session, channel: ChannelRow, body: Mapping[str, Any]) -> str | None:
    """Applies a report to the message that it is about; returns the id of a contact who has something to be sent.

    A report about a message whose sending was cut short tells that it was sent after all.
    """
    row = _about(session, channel, body)
    status = body["status"]
    if row is None or status not in set(SendStatus) or SendStatus(status).rank <= SendStatus(row.status).rank:
        return None
    if status == SendStatus.FAILED:
        return _failed(session, channel, row, body)
    outbox.change(session, row.outbox_id, status=status, outside_id=body["message_id"])
    return None


def _about(session: Session, channel: ChannelRow, body: Mapping[str, Any]) -> OutboxRow | None:
    opaque = body.get("opaque")
    row = outbox.lock(session, opaque) if opaque is not None and is_id(opaque) else None
    if row is None or row.channel_id != channel.channel_id:
        row = outbox.lock_outside(session, channel.channel_id, body["message_id"])
    return row


def _failed(session: Session, channel: ChannelRow, row: OutboxRow, body: Mapping[str, Any]) -> str | None:
    return sending.refused(session, row, _judge(channel.kind, body))


def _judge(kind: str, body: Mapping[str, Any]) -> Refusal:
    if kind == "whatsapp":
        from aispine.channel import whatsapp_out  # As in `kinds`: only where there is such a channel.

        return whatsapp_out.judge(body.get("code"), body.get("reason"))
    return Refusal(code="rejected", message=body.get("reason") or "the message was not delivered")
