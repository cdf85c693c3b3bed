"""A person's answer to what a node waits for: taken, asked for again, or handed to the node."""

from __future__ import annotations

import time
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

from sqlalchemy.orm import Session

from aispine import logs
from aispine.agent.contract import AgentReply
from aispine.channel.message import Kind
from aispine.conversation import asking
from aispine.conversation.presses import Pressed
from aispine.engine import callbacks
from aispine.engine.callbacks import Ticket
from aispine.engine.dispatch import Dispatch
from aispine.errors import Conflict, Gone, InvalidInput
from aispine.flow.status import NodeStatus
from aispine.form import Filled
from aispine.form.reply import Said, take
from aispine.store import channel_messages, node_glance, questions
from aispine.store.models import ChannelMessageRow, ContactRow, QuestionRow

SOON: Final = 1.0
"""Seconds until an answer is looked at again whose node has not begun to wait by now."""
PATIENCE: Final = 2.0
"""Seconds for which an answer waits for its node, which asks a moment before it begins to wait."""
_PAUSE: Final = 0.05
_SILENT: Final = frozenset({Kind.REACTION})
"""Kinds that are no answer and need none."""

_log = logs.get(__name__)


@dataclass(frozen=True, kw_only=True, slots=True)
class Ending:
    """An answer with which a node ends: its question, its ticket and what it gets."""

    question_id: str
    ticket: Ticket
    reply: AgentReply


def take_answer(
    session: Session,
    contact: ContactRow,
    row: ChannelMessageRow,
    file: Mapping[str, Any] | None,
    pressed: Pressed | None,
    execution_id: str,
) -> Ending | None:
    """Gives a message to the open question of an execution, if there is one; asks again unless that ends the node."""
    question = questions.open_of(session, execution_id)
    if question is None or row.body["kind"] in _SILENT or (pressed is not None and not pressed.about(question)):
        return None
    form, before = asking.form_of(question), asking.filled_of(question)
    choice = None if pressed is None else pressed.value
    after = take(form, before, Said(text=row.body.get("text"), choice=choice, file=file))
    if after == before and file is not None:
        return None  # A picture that nobody has asked for yet is kept for whoever does.
    turns = question.turns + 1
    if after.complete(form) or turns >= int(question.options.get("max_turns", asking.MAX_TURNS)):
        return _ending(question, after)
    question.filled, question.turns = asking.plain(after), turns
    questions.answered(session, question.question_id, question.filled, turns)
    asking.send(session, contact, question, first=False, understood=after != before)
    if after != before:
        channel_messages.use(session, row.seq, question.path)
    return None


def _ending(question: QuestionRow, after: Filled) -> Ending:
    form = asking.form_of(question)
    ticket = Ticket(
        tenant_id=question.tenant_id,
        execution_id=question.execution_id,
        path=question.path,
        attempt=question.attempt,
    )
    reply = AgentReply(output=after.output(form), message=after.summary(form), metadata={"turns": question.turns + 1})
    return Ending(question_id=question.question_id, ticket=ticket, reply=reply)


def hand_over(dispatch: Dispatch, ending: Ending) -> bool:
    """Ends the node with the answer; False when the node has not begun to wait yet.

    One that has ended otherwise, or by this very answer before, stays as it is.
    """
    until = time.monotonic() + PATIENCE
    while not _try_to_hand_over(dispatch, ending):
        if time.monotonic() > until:
            return False
        time.sleep(_PAUSE)
    return True


def _try_to_hand_over(dispatch: Dispatch, ending: Ending) -> bool:
    try:
        callbacks.complete(dispatch, ending.ticket, ending.reply)
    except Gone:
        return not _still_runs(dispatch, ending.ticket)
    except (Conflict, InvalidInput) as error:
        _log.warning("conversation.not_handed_over", execution=ending.ticket.execution_id, error=error.message)
    return True


def _still_runs(dispatch: Dispatch, ticket: Ticket) -> bool:
    glance = node_glance.find(dispatch.store, ticket.execution_id, ticket.path)
    return glance is not None and glance.status is NodeStatus.RUNNING


def close(session: Session, ending: Ending, seq: int) -> None:
    """The question has its answer, and the message its use."""
    questions.close(session, ending.question_id)
    channel_messages.use(session, seq, ending.ticket.path)
