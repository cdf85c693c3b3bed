"""The nodes of an execution as people see them, each under the body that it runs in."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any, Final

from aispine.engine import reasons
from aispine.engine.reasons import Situation, WaitingFor
from aispine.flow import paths
from aispine.flow.model import Node
from aispine.flow.status import NodeStatus
from aispine.store.models import NodeExecutionRow

FRAME_TYPES: Final[Mapping[str, str]] = {"map": "item", "loop": "iteration", "fork": "branch"}
"""What a frame is called, by the type of its container."""


@dataclass(frozen=True, kw_only=True, slots=True)
class NodeView:
    """One node or frame of an execution; `attempts` counts those that began."""

    node_id: str
    path: str
    type: str | None
    status: NodeStatus
    attempts: int = 0
    input: Any = None
    output: Any = None
    message: str | None = None
    metadata: Mapping[str, Any] | None = None
    error: Mapping[str, Any] | None = None
    reason: str | None = None
    """Why it does not run, or where it does, or why it never ran; None once it has run."""
    waiting_for: WaitingFor | None = None
    queue: str | None = None
    queued_at: datetime | None = None
    started_at: datetime | None = None
    finished_at: datetime | None = None


def arrange(
    nodes: Sequence[Node], rows: Collection[NodeExecutionRow], situation: Situation | None
) -> tuple[NodeView, ...]:
    """A view for each row and each node of the flow without one: in the flow's order, bodies below their containers.

    Without a situation the execution has ended, so that nothing is still to come.
    """
    known = {node.id: node for node in with_bodies(nodes)}
    order = _Order(nodes)
    there = {row.path for row in rows}
    views = [_view(row, known, situation) for row in rows]
    views += [_untouched(node, situation) for node in nodes if node.id not in there]
    views.sort(key=lambda view: order.of(view.path))
    return tuple(views) if situation is not None else tuple(map(_passed_by, views))


class _Order:
    """Sorts paths as the flow is written: nodes by their place, items and iterations by number, branches by place."""

    def __init__(self, nodes: Sequence[Node]) -> None:
        self._places = {node.id: place for place, node in enumerate(with_bodies(nodes))}
        self._branches = {
            (node.id, branch): place
            for node in with_bodies(nodes)
            if node.fork is not None
            for place, branch in enumerate(node.fork.branches)
        }

    def of(self, path: str) -> tuple[tuple[int, int, str], ...]:
        return tuple(self._step(step) for step in path.split("/"))

    def _step(self, step: str) -> tuple[int, int, str]:
        name = paths.name_of(step)
        place = self._places.get(name, len(self._places))
        if not paths.is_frame(step):
            return place, -1, name
        index = paths.index_of(step)
        return place, int(index) if index.isdigit() else self._branches.get((name, index), 0), name


def _view(row: NodeExecutionRow, known: Mapping[str, Node], situation: Situation | None) -> NodeView:
    reason = reasons.of_skipped(row) or (None if situation is None else reasons.of_row(row, situation))
    return NodeView(
        node_id=row.node_id,
        path=row.path,
        type=_type(row, known),
        status=NodeStatus(row.status),
        attempts=row.attempt,
        input=row.input,
        output=row.output,
        message=row.message,
        metadata=row.metadata_,
        error=row.error,
        reason=reason.text if reason else None,
        waiting_for=reason.waiting_for if reason else None,
        queue=row.queue,
        queued_at=row.queued_at,
        started_at=row.started_at,
        finished_at=row.finished_at,
    )


def _type(row: NodeExecutionRow, known: Mapping[str, Node]) -> str | None:
    node = known.get(row.node_id)
    if node is None:
        return None
    return FRAME_TYPES[node.type] if paths.is_frame(row.path) else str(node.type)


def _untouched(node: Node, situation: Situation | None) -> NodeView:
    """A node that has no row yet."""
    reason = None if situation is None else reasons.untouched(node.id, situation)
    return NodeView(
        node_id=node.id,
        path=node.id,
        type=str(node.type),
        status=NodeStatus.PENDING,
        reason=reason.text if reason else None,
        waiting_for=reason.waiting_for if reason else None,
    )


def _passed_by(node: NodeView) -> NodeView:
    """A node of an ended execution: what is still to come there never runs."""
    if node.status is not NodeStatus.PENDING:
        return node
    return replace(node, status=NodeStatus.SKIPPED, reason=reasons.NOT_REACHED)


def with_bodies(nodes: Collection[Node]) -> Iterator[Node]:
    """The nodes, each followed by those in its bodies."""
    for node in nodes:
        yield node
        for body in node.bodies:
            yield from with_bodies(body)
