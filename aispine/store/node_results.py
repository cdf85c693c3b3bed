"""The tables of nodes and of their logs, as people read them; the engine's statements are elsewhere."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from decimal import Decimal
from typing import Any, Final, NamedTuple

from sqlalchemy import Numeric, and_, case, cast, func, select
from sqlalchemy.orm import Session

from aispine.store.models import NodeExecutionRow, NodeLogRow

_MOST: Final = 10**15
"""A metadata number beyond it is no count of tokens and no price."""


def rows(session: Session, execution_id: str) -> Sequence[NodeExecutionRow]:
    """Every node of the execution that has a row, by path."""
    same = select(NodeExecutionRow).where(NodeExecutionRow.execution_id == execution_id)
    return session.scalars(same.order_by(NodeExecutionRow.path)).all()


def of_nodes(session: Session, execution_id: str, node_ids: Collection[str]) -> Sequence[NodeExecutionRow]:
    """The rows of those nodes, wherever in the execution they ran."""
    where = (NodeExecutionRow.execution_id == execution_id, NodeExecutionRow.node_id.in_(list(node_ids)))
    return session.scalars(select(NodeExecutionRow).where(*where)).all()


def find(session: Session, execution_id: str, path: str) -> NodeExecutionRow | None:
    """The row of one node, None when it has none."""
    return session.get(NodeExecutionRow, (execution_id, path))


class Usage(NamedTuple):
    """The sums over one execution's nodes; None where no node told one."""

    execution_id: str
    tokens: Decimal | None
    cost_usd: Decimal | None


def usage(session: Session, execution_ids: Sequence[str]) -> list[Usage]:
    """Per execution the sums of `tokens_used` and `cost_usd` in its nodes' metadata."""
    statement = (
        select(NodeExecutionRow.execution_id, _sum_of("tokens_used"), _sum_of("cost_usd"))
        .where(NodeExecutionRow.execution_id.in_(execution_ids), NodeExecutionRow.metadata_.is_not(None))
        .group_by(NodeExecutionRow.execution_id)
    )
    return [Usage(*row) for row in session.execute(statement)]


def _sum_of(name: str) -> Any:
    value = NodeExecutionRow.metadata_[name]
    number = cast(value.as_string(), Numeric)
    # Casting is safe only behind the check of the type, and CASE is what PostgreSQL evaluates in order.
    is_number = func.json_typeof(value) == "number"
    return func.sum(case((is_number, case((and_(number >= 0, number <= _MOST), number)))))


def logs(session: Session, execution_id: str, *, path: str | None, node_id: str | None) -> Sequence[NodeLogRow]:
    """What the agents printed, by path and attempt: of one path, of one node wherever it ran, or of all."""
    statement = select(NodeLogRow).where(NodeLogRow.execution_id == execution_id)
    if path is not None:
        statement = statement.where(NodeLogRow.path == path)
    if node_id is not None:
        paths = select(NodeExecutionRow.path).filter_by(execution_id=execution_id, node_id=node_id)
        statement = statement.where(NodeLogRow.path.in_(paths))
    return session.scalars(statement.order_by(NodeLogRow.path, NodeLogRow.attempt)).all()
