"""Buttons that people press: what they mean is kept with the message that showed them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from sqlalchemy.orm import Session

from aispine.engine.dispatch import Dispatch
from aispine.engine.operations import Operations
from aispine.errors import AISpineError
from aispine.store import outbox
from aispine.store.ids import is_id
from aispine.store.models import ChannelRow, ContactRow, QuestionRow


@dataclass(frozen=True, kw_only=True, slots=True)
class Pressed:
    """A button of a message of ours that its receiver pressed; `told` is what it was said to mean."""

    told: Any

    @property
    def value(self) -> Any:
        return self.told.get("value") if isinstance(self.told, Mapping) else self.told

    @property
    def approval(self) -> Mapping[str, Any] | None:
        """The approval that it answers, if any."""
        found = self.told.get("approval") if isinstance(self.told, Mapping) else None
        return found if isinstance(found, Mapping) else None

    def about(self, question: QuestionRow) -> bool:
        """False for a button of an earlier question."""
        if not isinstance(self.told, Mapping) or "question_id" not in self.told:
            return True
        return (self.told["question_id"], self.told.get("round")) == (question.question_id, question.round)


def find(session: Session, contact: ContactRow, body: Mapping[str, Any]) -> Pressed | None:
    """What a message pressed; None for a message that presses nothing of ours that this person was shown."""
    outbox_id, _, index = str(body.get("choice") or "").partition(":")
    if not is_id(outbox_id) or not index.isdigit():
        return None
    row = outbox.find(session, contact.tenant_id, outbox_id)
    buttons = [] if row is None or row.contact_id != contact.contact_id else row.message.get("buttons", [])
    return Pressed(told=buttons[int(index)].get("value")) if int(index) < len(buttons) else None


def approve(dispatch: Dispatch, channel: ChannelRow, contact: ContactRow, approval: Mapping[str, Any]) -> str | None:
    """Answers an approval for a member of the staff. Returns why not, None when it is answered."""
    if contact.user_id not in channel.staff:
        return "only the staff of the channel may answer that"
    operations = Operations(dispatch=dispatch, tenant_id=channel.tenant_id)
    by = f"{channel.kind}:{contact.user_id}"
    try:
        operations.answer(approval["execution_id"], approval["path"], {"approved": approval["approved"]}, by=by)
    except AISpineError as error:
        return error.message
    return None
