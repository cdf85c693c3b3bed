"""The table of what nodes wait for from people."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from sqlalchemy import case, func, select, update
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from aispine.store.ids import new_id
from aispine.store.models import ContactRow, QuestionRow


def put(
    session: Session,
    contact: ContactRow,
    *,
    execution_id: str,
    path: str,
    attempt: int,
    form: Mapping[str, Any],
    filled: Mapping[str, Any],
    options: Mapping[str, Any],
) -> QuestionRow:
    """Opens the question of a node: a lost attempt's goes on as it was, one that was closed begins anew."""
    statement = insert(QuestionRow).values(
        question_id=new_id(),
        tenant_id=contact.tenant_id,
        contact_id=contact.contact_id,
        execution_id=execution_id,
        path=path,
        attempt=attempt,
        form=form,
        filled=filled,
        options=options,
    )
    new, was_closed = statement.excluded, QuestionRow.closed_at.is_not(None)
    changed = {
        "attempt": new.attempt,
        "form": new.form,
        "options": new.options,
        "filled": case((was_closed, new.filled), else_=QuestionRow.filled),
        "round": QuestionRow.round + case((was_closed, 1), else_=0),
        "turns": case((was_closed, 0), else_=QuestionRow.turns),
        "asked_at": func.clock_timestamp(),
        "closed_at": None,
    }
    same = statement.on_conflict_do_update(index_elements=["execution_id", "path"], set_=changed)
    session.execute(same)
    session.flush()
    found = select(QuestionRow).filter_by(execution_id=execution_id, path=path)
    return session.scalars(found.execution_options(populate_existing=True)).one()


def open_of(session: Session, execution_id: str) -> QuestionRow | None:
    """What the execution waits for from its person, the first that was asked."""
    wanted = select(QuestionRow).where(QuestionRow.execution_id == execution_id, QuestionRow.closed_at.is_(None))
    return session.scalar(wanted.order_by(QuestionRow.asked_at).limit(1))


def answered(session: Session, question_id: str, filled: Mapping[str, Any], turns: int) -> None:
    """Keeps how far the form is filled after another answer."""
    same = update(QuestionRow).where(QuestionRow.question_id == question_id)
    session.execute(same.values(filled=filled, turns=turns))


def close(session: Session, question_id: str) -> None:
    """Nobody waits for it any more."""
    same = update(QuestionRow).where(QuestionRow.question_id == question_id)
    session.execute(same.values(closed_at=func.clock_timestamp()))
