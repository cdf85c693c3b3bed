"""Opening an ended execution again: what succeeded stays, what did not starts anew."""

from __future__ import annotations

from collections import defaultdict
from typing import Any, Final

from aispine.engine import containers, scope
from aispine.engine.ending import BLOCKED, handles_errors, is_blocked
from aispine.engine.facts import RetryRequested
from aispine.engine.joins import NOT_NEEDED
from aispine.engine.ledger import Ledger
from aispine.engine.terms import Terms
from aispine.flow import paths
from aispine.flow.model import Node
from aispine.flow.plan import CONTAINERS, CONTINUE, EdgeKind, Graph
from aispine.flow.state import NodeState
from aispine.flow.status import ExecutionStatus, NodeStatus

_RETRYABLE: Final = frozenset({ExecutionStatus.FAILED, ExecutionStatus.CANCELLED, ExecutionStatus.TIMED_OUT})

Frames = defaultdict[str, list[NodeState]]
"""The frames that were there, by the path of their container."""


def retry(ledger: Ledger, fact: RetryRequested, _terms: Terms) -> None:
    """Opens an execution that has ended without success."""
    execution = ledger.execution
    if execution.status not in _RETRYABLE:
        return
    ledger.everything()
    ledger.reopen()
    ledger.record("execution.retried", **fact.detail)
    _rewind_handler(ledger)
    go_on(ledger)


def go_on(ledger: Ledger) -> None:
    """Sets everything going that can, from the rows that are there."""
    frames: Frames = defaultdict(list)
    for row in ledger.everything().values():
        if paths.is_frame(row.path):
            frames[paths.container_of(row.path)].append(row)
    _reopen_frame(ledger, paths.ROOT, frames)


def _rewind_handler(ledger: Ledger) -> None:
    """Another failure of the flow is handled again, with all that follows."""
    handler, graph = ledger.plan.flow.on_error, ledger.plan.graph
    names = [] if handler is None else [handler]
    for name in names:
        names.extend(edge.target for edge in graph.outgoing[name] if edge.target not in names)
    for name in names:
        if ledger.node(name).status.terminal:
            _start_anew(ledger, name, graph.nodes[name])


def _reopen_frame(ledger: Ledger, frame: str, frames: Frames) -> None:
    graph = ledger.plan.graph_at(frame)
    undone = _undone(ledger, frame, graph)
    places = [paths.within(frame, name) for name in graph.order]
    for path in places:
        if path in undone:
            _reopen(ledger, path, ledger.spec(path), frames)
    for path in places:
        if ledger.node(path).status is NodeStatus.PENDING and path != ledger.plan.flow.on_error:
            recount(ledger, path)


def _undone(ledger: Ledger, frame: str, graph: Graph) -> set[str]:
    """The nodes that did not succeed; what a join has done without counts only while that join is undone itself."""
    found: set[str] = set()
    for name in reversed(graph.order):
        path = paths.within(frame, name)
        targets = [paths.within(frame, edge.target) for edge in graph.outgoing[name]]
        anew = [target in found or ledger.node(target).status is NodeStatus.PENDING for target in targets]
        tolerated, node, spec = name in graph.tolerated, ledger.node(path), graph.nodes[name]
        if (
            _is_undone(node, spec, tolerated=tolerated and not any(anew))
            or (tolerated and any(anew) and _is_partial(node, spec))
            or (all(anew) and _is_failed_join(node, spec))
        ):
            found.add(path)
    return found


def _is_partial(node: NodeState, spec: Node) -> bool:
    """True for a fork that has ended without some of its branches."""
    return spec.fork is not None and node.status is NodeStatus.COMPLETED and bool(node.remembered("failed"))


def _is_failed_join(node: NodeState, spec: Node) -> bool:
    """True for a join that had too few branches: some may come through this time."""
    return spec.join is not None and node.status is NodeStatus.FAILED


def _is_undone(node: NodeState, spec: Node, *, tolerated: bool) -> bool:
    if node.status is NodeStatus.CANCELLED:
        return bool(node.remembered("reason") != NOT_NEEDED)
    if node.status is NodeStatus.FAILED:
        return not (handles_errors(spec) or tolerated)
    return node.status is NodeStatus.SKIPPED and node.remembered("reason") == BLOCKED and not tolerated


def _reopen(ledger: Ledger, path: str, spec: Node, frames: Frames) -> None:
    """A container goes on with the frames that are not done; anything else starts anew."""
    undone = [frame for frame in frames[path] if _is_frame_undone(frame, spec)]
    between = spec.loop is not None and ledger.node(path).remembered("next") is not None
    if not undone and not between:
        _start_anew(ledger, path, spec)
        return
    containers.reopen(ledger, path, spec, **_counts(spec, frames[path]))
    for frame in undone:
        state = {**(frame.state or {}), "open": 0, "failed": False}
        ledger.change(frame.path, status=NodeStatus.RUNNING, error=None, finished_at=None, state=state)
        ledger.closing.append(frame.path)
        _reopen_frame(ledger, frame.path, frames)


def _start_anew(ledger: Ledger, path: str, spec: Node) -> None:
    if spec.type in CONTAINERS:
        ledger.forget(path)
    ledger.reset(path)


def _is_frame_undone(frame: NodeState, spec: Node) -> bool:
    """An item whose failure the map has done without stays as it is."""
    kept = spec.map is not None and spec.map.on_item_error == CONTINUE
    return frame.status is NodeStatus.CANCELLED or (frame.status is NodeStatus.FAILED and not kept)


def _counts(spec: Node, frames: list[NodeState]) -> dict[str, Any]:
    """What a map or fork remembers of its frames, counted once more."""
    done = [frame for frame in frames if frame.status is NodeStatus.COMPLETED]
    failed = [frame for frame in frames if frame.status is NodeStatus.FAILED and not _is_frame_undone(frame, spec)]
    if spec.map is not None:
        return {"done": len(done), "failed": len(failed)}
    return {} if spec.fork is None else {"done": [paths.index_of(frame.path) for frame in done], "failed": []}


def recount(ledger: Ledger, path: str) -> None:
    """Counts the edges of a node that has not run from what its sources are now."""
    edges = ledger.plan.incoming(path)
    settled = [edge for edge in edges if ledger.node(edge.source).status.terminal]
    live = [edge for edge in settled if scope.alive(ledger, edge)]
    node = ledger.change(
        path,
        unsettled=len(edges) - len(settled),
        live_control=sum(edge.kind is EdgeKind.CONTROL for edge in live),
        live_dependency=sum(edge.kind is EdgeKind.DEPENDENCY for edge in live),
        blocked=sum(is_blocked(ledger, edge) for edge in settled),
    )
    if node.unsettled == 0 or ledger.spec(path).join is not None:
        ledger.pending.append(path)
