"""Attempts of nodes that call a tool."""

from __future__ import annotations

import time

from aispine.flow.model import Node
from aispine.flow.outcome import Ended
from aispine.flow.state import ExecutionState, NodeState
from aispine.settings import Settings
from aispine.store.database import Store
from aispine.tool import registry
from aispine.tool.definition import Tool, ToolRequest


class ToolCache:
    """Tools by tenant; kept for some seconds, since one may be changed."""

    KEPT = 5.0

    def __init__(self) -> None:
        self._found: dict[tuple[str, str], tuple[float, Tool]] = {}

    def find(self, store: Store, tenant_id: str, tool_id: str) -> Tool:
        """Raises `NotFound` when the tool was deleted."""
        key = (tenant_id, tool_id)
        until, tool = self._found.get(key, (0.0, None))
        if tool is None or until < time.monotonic():
            with store.session(None) as session:
                tool = registry.resolve(session, tenant_id, [tool_id])[tool_id]
            self._found[key] = (time.monotonic() + self.KEPT, tool)
        return tool


def call(tool: Tool, execution: ExecutionState, node: NodeState, spec: Node, settings: Settings) -> Ended:
    """Calls the tool of a held node once; whoever gives an attempt of an agent up can give this one up too."""
    from aispine.agent import http  # Here, since most processes never call one: it costs each 6 MB.
    from aispine.tool import call as tool_call

    request = ToolRequest(
        tenant_id=execution.tenant_id,
        execution_id=execution.execution_id,
        node_id=node.node_id,
        input=node.input,
        config=spec.config,
        timeout=spec.timeout or tool.timeout or settings.node_timeout,
        idempotency_key=f"{execution.execution_id}:{node.path}",
        attempt=node.attempt,
        key=http.call_key(execution.execution_id, node.path, node.attempt),
    )
    return tool_call.call(tool, request, settings)
