"""Deleting what ended long ago: whole trees of executions at a time, with all that belongs to them."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from sqlalchemy import delete, func, select, text, tuple_, update
from sqlalchemy.orm import Session

from aispine.flow.status import ExecutionStatus
from aispine.store.models import (
    ChannelMessageRow,
    ConversationRow,
    EventRow,
    ExecutionRow,
    NodeExecutionRow,
    NodeLogRow,
    OutboxRow,
    QuestionRow,
    ScheduleFiringRow,
    SignalRow,
)

_ENDED: Final = tuple(status.value for status in ExecutionStatus if status.terminal)
_BELONGINGS: Final = (
    *(NodeLogRow, SignalRow, QuestionRow, OutboxRow, ConversationRow),
    *(EventRow, NodeExecutionRow, ExecutionRow),
)
_TREES: Final = text(
    """
    WITH RECURSIVE roots AS (
      SELECT execution_id, finished_at FROM executions
      WHERE parent_execution_id IS NULL AND finished_at < :before
        AND (finished_at, execution_id) > (:after_time, CAST(:after_id AS uuid))
      ORDER BY finished_at, execution_id LIMIT :limit
    ), trees AS (
      SELECT execution_id AS root, execution_id, finished_at AS ended FROM roots
      UNION ALL
      SELECT trees.root, child.execution_id, trees.ended
      FROM trees JOIN executions child ON child.parent_execution_id = trees.execution_id
    )
    SELECT root, execution_id, ended, event_seq FROM trees JOIN executions USING (execution_id) ORDER BY ended, root
    """
)
Place = tuple[datetime, str]
"""When a root ended, and its id."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Tree:
    """An execution that nobody waited for, with its subflows; `size` counts their events."""

    place: Place
    execution_ids: tuple[str, ...]
    size: int


def trees(session: Session, before: datetime, after: Place, limit: int) -> list[Tree]:
    """The trees whose root ended between the place and the time, the oldest first."""
    values = {"before": before, "after_time": after[0], "after_id": after[1], "limit": limit}
    members: dict[Place, list[Any]] = defaultdict(list)
    for row in session.execute(_TREES, values):
        members[row.ended, str(row.root)].append(row)
    return [_tree(place, rows) for place, rows in members.items()]


def _tree(place: Place, rows: Sequence[Any]) -> Tree:
    ids = tuple(str(row.execution_id) for row in rows)
    return Tree(place=place, execution_ids=ids, size=sum(row.event_seq for row in rows))


def forget(session: Session, wanted: Iterable[Tree], before: datetime) -> int:
    """Deletes those trees of which every execution ended before the time and nobody holds any; returns how many rows
    of executions went."""
    wanted = tuple(wanted)
    held = _hold(session, [each for tree in wanted for each in tree.execution_ids], before)
    going = [each for tree in wanted if held.issuperset(tree.execution_ids) for each in tree.execution_ids]
    for table in _BELONGINGS if going else ():
        old = delete(table).where(table.execution_id.in_(going))
        session.execute(old.execution_options(synchronize_session=False))
    if going:
        _blank_messages(session, going)
    return len(going)


def _blank_messages(session: Session, execution_ids: Sequence[str]) -> None:
    """Of a message that came in there stays that it came, so that it is known when its service sends it again."""
    kept = func.json_build_object("kind", ChannelMessageRow.kind)
    statement = update(ChannelMessageRow).where(ChannelMessageRow.execution_id.in_(execution_ids))
    blank = statement.values(body=kept, file=None, error=None, execution_id=None)
    session.execute(blank.execution_options(synchronize_session=False))


def _hold(session: Session, execution_ids: Sequence[str], before: datetime) -> frozenset[str]:
    """Those that are over, held so that nobody opens them again; one that somebody holds has its time later."""
    over = (ExecutionRow.execution_id.in_(execution_ids), ExecutionRow.finished_at < before)
    statement = select(ExecutionRow.execution_id).where(*over, ExecutionRow.status.in_(_ENDED))
    return frozenset(session.scalars(statement.with_for_update(skip_locked=True)))


def forget_firings(session: Session, before: datetime, *, limit: int) -> int:
    """Deletes up to `limit` records of what schedules started; returns how many went."""
    key = (ScheduleFiringRow.schedule_id, ScheduleFiringRow.due_at)
    old = select(*key).where(ScheduleFiringRow.fired_at < before).limit(limit)
    gone = delete(ScheduleFiringRow).where(tuple_(*key).in_(old)).returning(ScheduleFiringRow.due_at)
    return len(session.scalars(gone.execution_options(synchronize_session=False)).all())
