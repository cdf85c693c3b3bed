"""A glance at one node, for a message that found nothing to claim."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from aispine.flow.status import NodeStatus
from aispine.store.database import Store
from aispine.store.prepared import Statement

_FIND: Final = Statement(
    "glance_at_node",
    "uuid, text",
    "SELECT status, state ->> 'child' AS child FROM node_executions WHERE execution_id = $1 AND path = $2",
)


@dataclass(frozen=True, kw_only=True, slots=True)
class Glance:
    """`child` is the execution that a subflow node waits for."""

    status: NodeStatus
    child: str | None


def find(store: Store, execution_id: str, path: str) -> Glance | None:
    """None when the node has no row yet."""
    with store.autocommit() as link:
        row = _FIND.one(link, execution_id, path)
    return None if row is None else Glance(status=NodeStatus(row.status), child=row.child)
