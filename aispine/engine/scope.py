"""What an expression sees: built from the rows that it refers to, and from no others."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from aispine.engine.ledger import Ledger
from aispine.flow.model import Node
from aispine.flow.plan import CONTINUE, Edge, EdgeKind
from aispine.flow.references import References
from aispine.flow.state import NodeState
from aispine.flow.status import NodeStatus


def scope(ledger: Ledger, path: str, references: References) -> dict[str, Any]:
    """The scope of a node before it runs: `output` and `error` are what its live edges brought."""
    values = _common(ledger, references, path)
    if "output" in references.roots:
        values["output"] = arriving(ledger, path)
    if "error" in references.roots:
        values["error"] = arriving_error(ledger, path)
    return values


def own_scope(ledger: Ledger, path: str, references: References, output: Any) -> dict[str, Any]:
    """The scope of a node's `set`: `output` is the node's own."""
    values = _common(ledger, references, path)
    values["output"] = output
    return values


def final_scope(ledger: Ledger, references: References) -> dict[str, Any]:
    """The scope of the flow's own `output`."""
    return _common(ledger, references, None)


def arriving(ledger: Ledger, path: str) -> Any:
    """What a node's live edges bring: one output, or an object by node id when several are declared.

    A node without incoming edges gets the execution's input.
    """
    edges = ledger.plan.graph.incoming[path]
    if not edges:
        return ledger.execution.input
    declared = [edge for edge in edges if edge.kind is EdgeKind.DEPENDENCY] or list(edges)
    ledger.require(edge.source for edge in declared)
    live = {edge.source: ledger.node(edge.source).output for edge in declared if alive(ledger, edge)}
    several = len(declared) > 1 if declared[0].kind is EdgeKind.DEPENDENCY else len(live) > 1
    if several:
        return live
    return next(iter(live.values()), None)


def arriving_error(ledger: Ledger, path: str) -> Mapping[str, Any] | None:
    """The error of the failed node that a live edge comes from."""
    edges = ledger.plan.graph.incoming[path]
    ledger.require(edge.source for edge in edges)
    failed = (ledger.node(edge.source).error for edge in edges if alive(ledger, edge))
    return next((error for error in failed if error is not None), None)


def sole_error(ledger: Ledger, path: str) -> Mapping[str, Any] | None:
    """The error that a node gets in place of outputs: it handles a failure, or all that leads to it has failed."""
    incoming = ledger.plan.graph.incoming[path]
    ledger.require(edge.source for edge in incoming)
    edges = [edge for edge in incoming if alive(ledger, edge)]
    succeeded = any(ledger.node(edge.source).status is NodeStatus.COMPLETED for edge in edges)
    handles = any(edge.label == "on_error" for edge in edges)
    return arriving_error(ledger, path) if handles or not succeeded else None


def alive(ledger: Ledger, edge: Edge) -> bool:
    """True when the edge's source has ended in a way that makes this edge live."""
    return is_live(edge, ledger.node(edge.source), ledger.spec(edge.source))


def is_live(edge: Edge, source: NodeState, spec: Node) -> bool:
    if edge.label == "on_error":
        return source.status is NodeStatus.FAILED and spec.on_error == edge.target
    if edge.kind is EdgeKind.CONTROL:
        chosen = (source.state or {}).get("chosen")
        return source.status is NodeStatus.COMPLETED and edge.label == chosen
    if source.status is NodeStatus.FAILED:
        return spec.on_error == CONTINUE
    return source.status is NodeStatus.COMPLETED


def _common(ledger: Ledger, references: References, path: str | None) -> dict[str, Any]:
    execution = ledger.execution
    values: dict[str, Any] = {"input": execution.input, "context": execution.context}
    if "nodes" in references.roots:
        values["nodes"] = _nodes(ledger, _named(ledger, references, path))
    if "execution" in references.roots:
        values["execution"] = {"execution_id": execution.execution_id, "flow_id": execution.flow_id}
    return values


def _named(ledger: Ledger, references: References, path: str | None) -> Iterable[str]:
    if not references.all_nodes:
        return references.nodes
    return [name for name in ledger.plan.graph.order if name != path]


def _nodes(ledger: Ledger, names: Iterable[str]) -> dict[str, Any]:
    names = list(names)
    ledger.require(names)
    return {name: _view(ledger.node(name)) for name in names}


def _view(node: NodeState) -> dict[str, Any]:
    return {
        "output": node.output,
        "message": node.message,
        "metadata": node.metadata,
        "error": node.error,
        "status": str(node.status),
        "attempts": node.attempt,
    }
