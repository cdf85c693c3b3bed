"""Where a message goes: to the conversation that the person has, or into a new one."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from sqlalchemy.orm import Session

from aispine.conversation.answering import Ending, take_answer
from aispine.conversation.presses import Pressed
from aispine.engine.start import StartRequest, start
from aispine.errors import AISpineError
from aispine.flow.status import ExecutionStatus
from aispine.store import conversations
from aispine.store.models import ChannelMessageRow, ChannelRow, ContactRow


@dataclass(frozen=True, kw_only=True, slots=True)
class Routed:
    """What came of a message: the execution that it belongs to, and whether it started it; or why it has none."""

    execution_id: str | None = None
    flow_id: str | None = None
    started: bool = False
    error: Mapping[str, Any] | None = None
    ending: Ending | None = None
    """The node that the message ends."""


def route(
    session: Session,
    channel: ChannelRow,
    contact: ContactRow,
    row: ChannelMessageRow,
    file: Mapping[str, Any] | None,
    pressed: Pressed | None = None,
) -> Routed:
    """Gives the message to the open conversation, or starts the channel's flow with it; never both."""
    found = conversations.current(session, contact.contact_id)
    if found is not None:
        conversation, execution = found
        if execution is not None and not ExecutionStatus(execution.status).terminal:
            ending = take_answer(session, contact, row, file, pressed, execution.execution_id)
            return Routed(execution_id=execution.execution_id, flow_id=conversation.flow_id, ending=ending)
        conversations.end(session, conversation.conversation_id)
    if pressed is not None or contact.user_id in channel.staff:
        return Routed(error={"code": "nothing_waits", "message": "nothing waits for that any more"})
    if channel.flow_id is None:
        return Routed(error={"code": "no_flow", "message": "the channel starts no flow"})
    try:
        with session.begin_nested():
            return _begin(session, channel, contact, first_input(channel, contact, row.body, file))
    except AISpineError as error:
        return Routed(error={"code": error.code, "message": error.message})


def _begin(session: Session, channel: ChannelRow, contact: ContactRow, value: Mapping[str, Any]) -> Routed:
    labels = {"channel": channel.kind}
    request = StartRequest(flow_id=str(channel.flow_id), input=value, labels=labels)
    execution = start(session, channel.tenant_id, request)
    conversations.begin(session, contact, execution.flow_id, execution.execution_id)
    return Routed(execution_id=execution.execution_id, flow_id=execution.flow_id, started=True)


def first_input(
    channel: ChannelRow, contact: ContactRow, body: Mapping[str, Any], file: Mapping[str, Any] | None
) -> dict[str, Any]:
    """The input of an execution that a message starts."""
    return {
        "message": message_value(body, file),
        "channel": {
            "channel_id": channel.channel_id,
            "kind": channel.kind,
            "user_id": contact.user_id,
            "display_name": contact.name,
        },
    }


def message_value(body: Mapping[str, Any], file: Mapping[str, Any] | None) -> dict[str, Any]:
    """A message as flows see it."""
    return {"kind": body["kind"], "text": body.get("text"), "file": file, "sent_at": body.get("sent_at")}
