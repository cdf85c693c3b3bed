"""The table of what agents printed and logged, one row an attempt."""

from __future__ import annotations

from typing import Final

from aispine.flow.state import ExecutionState, NodeState
from aispine.store.database import Store
from aispine.store.prepared import Statement

_KEEP: Final = Statement(
    "keep_node_log",
    "uuid, text, smallint, text, text",
    """
    INSERT INTO node_logs (execution_id, path, attempt, tenant_id, text)
    SELECT $1, $2, $3, $4, $5 FROM executions WHERE execution_id = $1 FOR KEY SHARE
    ON CONFLICT (execution_id, path, attempt) DO NOTHING
    """,
)


def keep(store: Store, execution: ExecutionState, node: NodeState, text: str) -> None:
    """Keeps an attempt's text, unless the execution was erased; PostgreSQL takes no NUL characters."""
    clean = text.replace("\0", "\N{REPLACEMENT CHARACTER}")
    with store.autocommit() as link:
        _KEEP.run(link, execution.execution_id, node.path, node.attempt, execution.tenant_id, clean)
