"""What an agent does with the person whom its execution talks to: it writes, and it asks."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from celery import Celery
from sqlalchemy.orm import Session

from aispine.agent.author import Accepted, AgentError, Reply
from aispine.agent.contract import AgentRequest, FailureCode
from aispine.channel import message as messages
from aispine.channel import sending
from aispine.conversation import asking, notices
from aispine.errors import InvalidRequest
from aispine.flow import paths
from aispine.form import Filled, Form
from aispine.form.reply import Said, take
from aispine.store import channel_messages, channels, conversations, outbox, questions
from aispine.store.database import Store
from aispine.store.models import ChannelRow, ContactRow, ConversationRow


@dataclass(frozen=True, kw_only=True)
class Desk:
    """The conversation of one call of an agent; looked for when it is needed, since most agents talk to nobody."""

    store: Store
    celery: Celery
    request: AgentRequest

    @property
    def active(self) -> bool:
        with self.store.session(None) as session:
            return self._find(session) is not None

    def send(self, message: Mapping[str, Any], options: Mapping[str, Any]) -> list[str]:
        """As the protocol of `aispine.agent.author` says."""
        known = {name: message[name] for name in ("text", "file", "buttons", "template") if message.get(name)}
        buttons = self._with_approval(known, options)
        with self.store.session(None) as session:
            row = self._needed(session)
            people = self._people(session, row, str(options.get("to", "contact")))
            _check(buttons)
            sent = [outbox_id for who in people for outbox_id in self._put(session, who, buttons, options)]
        notices.to_send(self.celery, [who.contact_id for who in people])
        return sent

    def _with_approval(self, message: dict[str, Any], options: Mapping[str, Any]) -> dict[str, Any]:
        """The first button says yes to the approval beside this node, the others no."""
        name = options.get("approval")
        if name is None:
            return message
        where = {"execution_id": self.request.execution_id, "path": self._beside(str(name))}
        titles = [str(title) for title in message.get("buttons") or ("OK", "No")]
        approval = [{**where, "approved": index == 0} for index in range(len(titles))]
        return message | {
            "buttons": [{"title": title, "value": {"approval": approval[i]}} for i, title in enumerate(titles)]
        }

    def _beside(self, name: str) -> str:
        return paths.within(paths.frame_of(self.request.path), name)

    def _put(
        self, session: Session, who: ContactRow, message: Mapping[str, Any], options: Mapping[str, Any]
    ) -> Sequence[str]:
        """The message, and the same as a reminder that is dropped when the approval was answered meanwhile."""
        key = f"send:{self.request.idempotency_key}:{who.contact_id}"
        where: dict[str, Any] = {"execution_id": self.request.execution_id, "path": self.request.path}
        sent = [outbox.put(session, who, message, key=key, **where)]
        after = options.get("remind_after")
        if after is not None and options.get("approval"):
            waits = {"execution_id": self.request.execution_id, "path": self._beside(str(options["approval"]))}
            reminder = {**message, sending.WHILE: waits}
            sent.append(outbox.put(session, who, reminder, key=f"{key}:reminder", delay=_seconds(after), **where))
        return sent

    def _people(self, session: Session, row: ConversationRow, to: str) -> list[ContactRow]:
        if to == "contact":
            return [session.get_one(ContactRow, row.contact_id)]
        if to != "staff":
            raise AgentError("`to` must be `contact` or `staff`", code=FailureCode.INVALID_INPUT)
        channel = session.get_one(ChannelRow, row.channel_id)
        ids = [channels.contact(session, channel, user_id, wrote=False) for user_id in channel.staff]
        if not ids:
            raise AgentError("the channel has no staff to write to", code=FailureCode.INVALID_INPUT)
        return [session.get_one(ContactRow, contact_id) for contact_id in ids]

    def ask(self, form: Form, filled: Filled, options: Mapping[str, Any]) -> Reply | Accepted:
        """As the protocol of `aispine.agent.author` says."""
        with self.store.session(None) as session:
            row = self._needed(session)
            contact = channels.lock_contact(session, row.contact_id)
            filled = self._from_inbox(session, row, form, filled)
            if filled.complete(form):
                return Reply(filled.output(form), message=filled.summary(form))
            question = questions.put(
                session,
                contact,
                execution_id=self.request.execution_id,
                path=self.request.path,
                attempt=self.request.attempt,
                form=asking.plain(form),
                filled=asking.plain(filled),
                options={name: options[name] for name in ("question", "again", "max_turns") if options.get(name)},
            )
            asking.send(session, contact, question, first=question.turns == 0)
        notices.to_send(self.celery, [contact.contact_id])
        return Accepted(_seconds(options.get("wait", asking.WAIT)))

    def _from_inbox(self, session: Session, row: ConversationRow, form: Form, filled: Filled) -> Filled:
        """Files that came before they were asked for, as the second picture of an album does."""
        for message in channel_messages.unused_files(session, row.execution_id):
            after = take(form, filled, Said(file=message.file))
            if after != filled:
                channel_messages.use(session, message.seq, self.request.path)
                filled = after
        return filled

    def _find(self, session: Session) -> ConversationRow | None:
        return conversations.of_execution(session, self.request.tenant_id, self.request.execution_id)

    def _needed(self, session: Session) -> ConversationRow:
        found = self._find(session)
        if found is None or not conversations.hold(session, found.conversation_id):
            message = "nobody to talk to: the execution was not started by a message over a channel"
            raise AgentError(message, code=FailureCode.INVALID_INPUT)
        return found


def _check(message: Mapping[str, Any]) -> None:
    try:
        messages.outgoing(message)
    except InvalidRequest as error:
        raise AgentError(error.message, code=FailureCode.INVALID_INPUT) from error


def _seconds(value: Any) -> float:
    if isinstance(value, bool) or not isinstance(value, int | float) or not 0 < value <= 365 * 86_400:
        raise AgentError("seconds must be a number above 0, up to a year", code=FailureCode.INVALID_INPUT)
    return float(value)
