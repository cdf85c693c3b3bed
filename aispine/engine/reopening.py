"""Opening an ended execution again: what succeeded stays, what did not starts anew."""

from __future__ import annotations

from typing import Final

from aispine.engine import scope
from aispine.engine.ending import BLOCKED, handles_errors, is_tolerated
from aispine.engine.facts import RetryRequested
from aispine.engine.joins import NOT_NEEDED
from aispine.engine.ledger import Ledger
from aispine.engine.terms import Terms
from aispine.flow import paths
from aispine.flow.model import Node, NodeType
from aispine.flow.plan import CONTAINERS, EdgeKind
from aispine.flow.state import NodeState
from aispine.flow.status import ExecutionStatus, NodeStatus

_RETRYABLE: Final = frozenset({ExecutionStatus.FAILED, ExecutionStatus.CANCELLED, ExecutionStatus.TIMED_OUT})


def retry(ledger: Ledger, fact: RetryRequested, _terms: Terms) -> None:
    """Opens an execution that has ended without success."""
    execution = ledger.execution
    if execution.status not in _RETRYABLE:
        return
    ledger.everything()
    ledger.reopen()
    ledger.record("execution.retried", **fact.detail)
    _put_back_handler(ledger)
    go_on(ledger)


def go_on(ledger: Ledger) -> None:
    """Sets everything going that can, from the rows that are there."""
    ledger.everything()
    _reopen_frame(ledger, paths.ROOT)


def _put_back_handler(ledger: Ledger) -> None:
    """The flow's own failure handler, and what follows it, is there for the next failure too."""
    handler = ledger.plan.flow.on_error
    places = [] if handler is None else [handler]
    for path in places:
        if ledger.node(path).status.terminal:
            ledger.forget(path)
            ledger.reset(path)
        places.extend(edge.target for edge in ledger.plan.outgoing(path) if edge.target not in places)


def _reopen_frame(ledger: Ledger, frame: str) -> None:
    graph = ledger.plan.graph_at(frame)
    places = [paths.within(frame, name) for name in graph.order]
    for path in places:
        if _is_undone(ledger, path):
            _reopen(ledger, path, ledger.spec(path))
    for path in places:
        if ledger.node(path).status is NodeStatus.PENDING and path != ledger.plan.flow.on_error:
            _recount(ledger, path)


def _is_undone(ledger: Ledger, path: str) -> bool:
    node, spec = ledger.node(path), ledger.spec(path)
    if node.status is NodeStatus.CANCELLED:
        return bool(node.remembered("reason") != NOT_NEEDED)
    if node.status is NodeStatus.FAILED:
        return not (handles_errors(spec) or is_tolerated(ledger, path))
    return node.status is NodeStatus.SKIPPED and node.remembered("reason") == BLOCKED


def _reopen(ledger: Ledger, path: str, spec: Node) -> None:
    """A container goes on with the frames that are not done; anything else starts anew."""
    frames = _frames(ledger, path) if spec.type in CONTAINERS else []
    undone = [frame for frame in frames if frame.status in {NodeStatus.FAILED, NodeStatus.CANCELLED}]
    if not undone:
        ledger.forget(path)
        ledger.reset(path)
        return
    ledger.change(path, status=NodeStatus.RUNNING, error=None, finished_at=None)
    _recount_frames(ledger, path, spec, frames)
    for frame in undone:
        ledger.change(
            frame.path,
            status=NodeStatus.RUNNING,
            error=None,
            finished_at=None,
            state={"open": 0, "context": frame.remembered("context")},
        )
        ledger.closing.append(frame.path)
        _reopen_frame(ledger, frame.path)


def _frames(ledger: Ledger, path: str) -> list[NodeState]:
    rows = ledger.everything().values()
    return [row for row in rows if paths.is_frame(row.path) and paths.container_of(row.path) == path]


def _recount_frames(ledger: Ledger, path: str, spec: Node, frames: list[NodeState]) -> None:
    done = [frame for frame in frames if frame.status is NodeStatus.COMPLETED]
    if spec.type is NodeType.MAP:
        ledger.remember(path, done=len(done), failed=0, deadline=None)
    elif spec.type is NodeType.FORK:
        ledger.remember(path, done=[paths.index_of(frame.path) for frame in done], failed=[], deadline=None)
    else:
        ledger.remember(path, deadline=None)


def _recount(ledger: Ledger, path: str) -> None:
    """Counts the edges of a node that has not run from what its sources are now."""
    settled = [edge for edge in ledger.plan.incoming(path) if ledger.node(edge.source).status.terminal]
    live = [edge for edge in settled if scope.alive(ledger, edge)]
    node = ledger.change(
        path,
        unsettled=len(ledger.plan.incoming(path)) - len(settled),
        live_control=sum(edge.kind is EdgeKind.CONTROL for edge in live),
        live_dependency=sum(edge.kind is EdgeKind.DEPENDENCY for edge in live),
        blocked=0,
    )
    if node.unsettled == 0 or ledger.spec(path).join is not None:
        ledger.pending.append(path)
