"""What an expression sees: built from the rows that it refers to, and from no others."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from aispine.engine import contexts
from aispine.engine.ledger import Ledger
from aispine.flow import paths
from aispine.flow.expression import Condition
from aispine.flow.model import Node, NodeType
from aispine.flow.plan import CONTINUE, Edge, EdgeKind
from aispine.flow.references import References
from aispine.flow.size import measure
from aispine.flow.state import NodeState
from aispine.flow.status import NodeStatus


def scope(ledger: Ledger, path: str, references: References) -> dict[str, Any]:
    """The scope of a node before it runs: `output` and `error` are what its live edges brought."""
    values = _common(ledger, paths.frame_of(path), references, path)
    if "output" in references.roots:
        values["output"] = arriving(ledger, path)
    if "error" in references.roots:
        values["error"] = arriving_error(ledger, path)
    return values


def own_scope(ledger: Ledger, path: str, references: References, output: Any) -> dict[str, Any]:
    """The scope of a node's `set`: `output` is the node's own."""
    values = _common(ledger, paths.frame_of(path), references, path)
    values["output"] = output
    return values


def frame_scope(ledger: Ledger, frame: str, references: References, output: Any = None) -> dict[str, Any]:
    """The scope of a container's questions about a frame, and, without a frame, of the flow's own `output`."""
    values = _common(ledger, frame, references, None)
    values["output"] = output
    return values


def holds(ledger: Ledger, path: str, guard: Iterable[Condition]) -> bool:
    """True when every condition of a node's guard holds."""
    return all(condition.evaluate(scope(ledger, path, condition.references)) for condition in guard)


def arriving(ledger: Ledger, path: str) -> Any:
    """What a node's live edges bring: one output, or an object by node id when several are declared.

    A node without incoming edges gets the execution's input; the first one of an item gets the item, the first one of
    an iteration what the iteration before brought, the first one of a branch what the fork got.
    """
    edges = ledger.plan.incoming(path)
    if not edges:
        return _entering(ledger, paths.frame_of(path))
    declared = [edge for edge in edges if edge.kind is EdgeKind.DEPENDENCY] or list(edges)
    ledger.require(edge.source for edge in declared)
    live = {paths.name_of(edge.source): ledger.node(edge.source).output for edge in declared if alive(ledger, edge)}
    several = len(declared) > 1 if declared[0].kind is EdgeKind.DEPENDENCY else len(live) > 1
    if several:
        # Unless somebody looks, what branches and meets again and again doubles each time.
        measure(live)
        return live
    return next(iter(live.values()), None)


def arriving_error(ledger: Ledger, path: str) -> Mapping[str, Any] | None:
    """The error of the failed node that a live edge comes from; for the flow's own handler, the execution's."""
    edges = ledger.plan.incoming(path)
    ledger.require(edge.source for edge in edges)
    failed = (ledger.node(edge.source).error for edge in edges if alive(ledger, edge))
    found = next((error for error in failed if error is not None), None)
    return ledger.execution.error if found is None and ledger.plan.flow.on_error == path else found


def sole_error(ledger: Ledger, path: str) -> Mapping[str, Any] | None:
    """The error that a node gets in place of outputs: it handles a failure, or all that leads to it has failed."""
    incoming = ledger.plan.incoming(path)
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
        return source.status is NodeStatus.FAILED and spec.on_error == paths.name_of(edge.target)
    if edge.kind is EdgeKind.CONTROL:
        return source.status is NodeStatus.COMPLETED and edge.label == source.remembered("chosen")
    if source.status is NodeStatus.FAILED:
        return spec.on_error == CONTINUE
    return source.status is NodeStatus.COMPLETED


def _entering(ledger: Ledger, frame: str) -> Any:
    """What the first nodes of a frame get."""
    if not frame:
        return ledger.execution.input
    container = paths.container_of(frame)
    kind = ledger.spec(container).type
    if kind is NodeType.MAP:
        return ledger.node(frame).input
    index = paths.index_of(frame)
    if kind is NodeType.LOOP and index != "0":
        return ledger.node(paths.frame(container, int(index) - 1)).output
    return arriving(ledger, container)


def _common(ledger: Ledger, frame: str, references: References, path: str | None) -> dict[str, Any]:
    roots = references.roots
    values: dict[str, Any] = {"input": ledger.execution.input}
    if "context" in roots:
        values["context"] = contexts.context(ledger, frame)
    if "nodes" in roots:
        values["nodes"] = _nodes(ledger, _named(ledger, frame, references, path))
    if "execution" in roots:
        execution = ledger.execution
        values["execution"] = {"execution_id": execution.execution_id, "flow_id": execution.flow_id}
    if not roots.isdisjoint(_OF_FRAMES):
        values.update(_of_frames(ledger, frame, roots))
    return values


_OF_FRAMES = frozenset({"item", "index", "iteration", "loop_output"})


def _of_frames(ledger: Ledger, frame: str, roots: frozenset[str]) -> dict[str, Any]:
    """The variables of the innermost item and of the innermost iteration around a place."""
    values: dict[str, Any] = {}
    while frame:
        kind = ledger.spec(frame).type
        if kind is NodeType.MAP and "index" not in values:
            values["index"] = int(paths.index_of(frame))
            values["item"] = ledger.node(frame).input if "item" in roots else None
        elif kind is NodeType.LOOP and "iteration" not in values:
            values["iteration"] = int(paths.index_of(frame))
            values["loop_output"] = _loop_output(ledger, frame) if "loop_output" in roots else None
        frame = paths.frame_of(frame)
    return values


def _loop_output(ledger: Ledger, frame: str) -> list[Any]:
    """The results of the iterations so far, this one's included once it has one."""
    container, index = paths.container_of(frame), int(paths.index_of(frame))
    frames = [paths.frame(container, number) for number in range(index + 1)]
    ledger.require(frames)
    ended = [ledger.node(each) for each in frames]
    return [each.output for each in ended if each.status is NodeStatus.COMPLETED]


def _named(ledger: Ledger, frame: str, references: References, path: str | None) -> Iterable[str]:
    """The paths of the nodes that an expression names, each in the innermost frame that has one of that name."""
    if references.all_nodes:
        return [each for each in _all_visible(ledger, frame) if each != path]
    return [found for name in references.nodes if (found := _find(ledger, frame, name)) is not None]


def _find(ledger: Ledger, frame: str, name: str) -> str | None:
    while name not in ledger.plan.graph_at(frame).nodes:
        if not frame:
            return None
        frame = paths.frame_of(frame)
    return paths.within(frame, name)


def _all_visible(ledger: Ledger, frame: str) -> Iterable[str]:
    while True:
        yield from (paths.within(frame, name) for name in ledger.plan.graph_at(frame).order)
        if not frame:
            return
        frame = paths.frame_of(frame)


def _nodes(ledger: Ledger, found: Iterable[str]) -> dict[str, Any]:
    found = list(found)
    ledger.require(found)
    return {paths.name_of(each): _view(ledger.node(each)) for each in found}


def _view(node: NodeState) -> dict[str, Any]:
    return {
        "output": node.output,
        "message": node.message,
        "metadata": node.metadata,
        "error": node.error,
        "status": str(node.status),
        "attempts": node.attempt,
    }
