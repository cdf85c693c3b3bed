"""The table of conversations."""

from __future__ import annotations

from sqlalchemy import func, select, update
from sqlalchemy.orm import Session

from aispine.store.ids import new_id
from aispine.store.models import ContactRow, ConversationRow, ExecutionRow


def current(session: Session, contact_id: str) -> tuple[ConversationRow, ExecutionRow | None] | None:
    """The conversation of a contact that has not ended, with its execution unless that is gone."""
    joined = select(ConversationRow, ExecutionRow).outerjoin(
        ExecutionRow, ExecutionRow.execution_id == ConversationRow.execution_id
    )
    wanted = joined.where(ConversationRow.contact_id == contact_id, ConversationRow.ended_at.is_(None))
    found = session.execute(wanted.order_by(ConversationRow.created_at.desc()).limit(1)).first()
    return None if found is None else (found[0], found[1])


def of_execution(session: Session, tenant_id: str, execution_id: str) -> ConversationRow | None:
    """The conversation that started an execution, or the one above it of which it is a subflow."""
    execution = session.get(ExecutionRow, execution_id)
    root = execution.root_execution_id if execution is not None else None
    wanted = select(ConversationRow).where(
        ConversationRow.tenant_id == tenant_id, ConversationRow.execution_id.in_([execution_id, root or execution_id])
    )
    return session.scalar(wanted.limit(1))


def hold(session: Session, conversation_id: str) -> bool:
    """Keeps the conversation from being erased until the transaction ends; False when it was."""
    same = select(ConversationRow.conversation_id).filter_by(conversation_id=conversation_id)
    return session.scalar(same.with_for_update(read=True, key_share=True)) is not None


def begin(session: Session, contact: ContactRow, flow_id: str, execution_id: str) -> ConversationRow:
    row = ConversationRow(
        conversation_id=new_id(),
        tenant_id=contact.tenant_id,
        channel_id=contact.channel_id,
        contact_id=contact.contact_id,
        flow_id=flow_id,
        execution_id=execution_id,
    )
    session.add(row)
    session.flush()
    return row


def end(session: Session, conversation_id: str) -> None:
    same = update(ConversationRow).where(ConversationRow.conversation_id == conversation_id)
    session.execute(same.values(ended_at=func.clock_timestamp()))
