"""Copies of nodes, from one execution to another."""

from __future__ import annotations

from collections.abc import Collection
from typing import Final

from sqlalchemy import Text, any_, func, insert, literal, null, select
from sqlalchemy.dialects.postgresql import ARRAY
from sqlalchemy.orm import Session

from aispine.store.models import NodeExecutionRow

_TABLE: Final = NodeExecutionRow.__table__
_OF_THE_ORIGINAL: Final = frozenset({"lease_owner", "due_at"})
"""Columns about what was under way there."""


def copy(session: Session, source: str, target: str, names: Collection[str]) -> None:
    """Copies the nodes of these ids that stand in the flow itself, with everything in their bodies."""
    columns = {column.name: column for column in _TABLE.columns}
    values = {name: null() if name in _OF_THE_ORIGINAL else column for name, column in columns.items()}
    values["execution_id"] = literal(target, columns["execution_id"].type)
    outermost = func.split_part(func.split_part(columns["path"], "/", 1), "[", 1)
    rows = select(*(value.label(name) for name, value in values.items())).where(
        columns["execution_id"] == source, outermost == any_(literal(list(names), ARRAY(Text)))
    )
    session.execute(insert(NodeExecutionRow).from_select(list(values), rows))
