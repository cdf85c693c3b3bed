"""Running an execution once more as a new one: from the start, or from a chosen node with what came before it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

from sqlalchemy.orm import Session

from aispine import catalog
from aispine.engine import node_views, start
from aispine.engine.ending import NO_LIVE_EDGE
from aispine.engine.unknown import unknown_execution
from aispine.errors import Conflict, Unprocessable
from aispine.flow.model import Flow, Node
from aispine.flow.plan import Graph, make_graph
from aispine.flow.status import ExecutionStatus, NodeStatus
from aispine.store import executions, node_copies, node_results
from aispine.store.ids import is_id, new_id
from aispine.store.models import ExecutionRow


@dataclass(frozen=True, kw_only=True, slots=True)
class _SameInput:
    """The input of the original."""


SAME_INPUT: Final = _SameInput()


@dataclass(frozen=True, kw_only=True, slots=True)
class RerunRequest:
    """Which execution to run once more; without `from_node` all of it."""

    execution_id: str
    from_node: str | None = None
    input: Any = SAME_INPUT


def rerun(session: Session, request: RerunRequest) -> ExecutionRow:
    """Adds a queued execution of the same FlowVersion and agents in the caller's transaction; `announce` it afterwards.

    With `from_node`, a node of the flow itself, whatever neither is that node nor comes after it is copied as it ended,
    with the context as it was at the end. What of that did not end well runs again too, as in a retry.
    Raises `NotFound`, `InvalidInput`, `TooLarge`, `Unprocessable` for an unknown node, and `Conflict` when the original
    has not ended or had no way to the node.
    """
    original = _find(session, request)
    flow = catalog.load_flow(session, original.flow_version_id)
    value = original.input if request.input is SAME_INPUT else request.input
    start.check(flow, value)
    kept = None if request.from_node is None else _kept(session, original, flow, request.from_node)
    row = _again(original, value, flow.context if kept is None else original.context)
    row.depth, row.reopened = 0, int(kept is not None)
    executions.add(session, row, patience=start.START_PATIENCE)
    if kept is not None:
        node_copies.copy(session, original.execution_id, row.execution_id, kept)
    return row


def _find(session: Session, request: RerunRequest) -> ExecutionRow:
    known = is_id(request.execution_id)
    row = executions.find_unchanging(session, request.execution_id) if known else None
    if row is None:
        raise unknown_execution(request.execution_id)
    if request.from_node is not None and not ExecutionStatus(row.status).terminal:
        hint = "Cancel it or wait for its end; from the start it can be run again at any time."
        raise Conflict(f"the execution is {row.status}", hint=hint)
    return row


def _again(original: ExecutionRow, value: Any, context: Mapping[str, Any]) -> ExecutionRow:
    return ExecutionRow(
        execution_id=new_id(),
        tenant_id=original.tenant_id,
        flow_id=original.flow_id,
        version=original.version,
        flow_version_id=original.flow_version_id,
        status=ExecutionStatus.QUEUED.value,
        input=value,
        context=dict(context),
        agents=original.agents,
        labels=original.labels,
        correlation_id=original.correlation_id,
        rerun_of=original.execution_id,
    )


def _kept(session: Session, original: ExecutionRow, flow: Flow, name: str) -> list[str]:
    """The nodes of the flow that are taken over as they ended."""
    graph = make_graph(flow.nodes)
    _check_node(flow, name)
    row = node_results.find(session, original.execution_id, name)
    if row is not None and row.status == NodeStatus.SKIPPED and (row.state or {}).get("reason") == NO_LIVE_EDGE:
        hint = "Choose a node before it, such as the one that decides."
        raise Conflict(f"nothing led to `{name}` in the execution", field="from_node", hint=hint)
    anew = _from(graph, name)
    if flow.on_error is not None:
        anew |= _from(graph, flow.on_error)
    return [each for each in graph.order if each not in anew]


def _check_node(flow: Flow, name: str) -> None:
    if name not in {node.id for node in flow.nodes}:
        outer = next((node.id for node in flow.nodes if name in _inside(node)), None)
        hint = f"Choose `{outer}`, in whose body it is." if outer else None
        raise Unprocessable(f"the flow has no node `{name[:200]}` of its own", field="from_node", hint=hint)
    if name == flow.on_error:
        raise Unprocessable(f"`{name}` only runs when the flow fails", field="from_node")


def _inside(node: Node) -> set[str]:
    return {inner.id for body in node.bodies for inner in node_views.with_bodies(body)}


def _from(graph: Graph, name: str) -> set[str]:
    """A node and all that comes after it."""
    found = {name}
    for each in graph.order:
        if each in found:
            found.update(edge.target for edge in graph.outgoing[each])
    return found
