"""The status of one node, for a message that found nothing to claim."""

from __future__ import annotations

from typing import Final

from aispine.flow.status import NodeStatus
from aispine.store.database import Store
from aispine.store.prepared import Statement

_FIND: Final = Statement(
    "find_node_status", "uuid, text", "SELECT status FROM node_executions WHERE execution_id = $1 AND path = $2"
)


def find(store: Store, execution_id: str, path: str) -> NodeStatus | None:
    """None when the node has no row yet."""
    with store.autocommit() as connection:
        row = _FIND.one(connection, execution_id, path)
    return None if row is None else NodeStatus(row.status)
