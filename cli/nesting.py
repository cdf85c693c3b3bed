"""The nodes of an execution as a screen shows them: those in bodies below their containers, large ones summed up."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Final

from aispine.flow import paths
from aispine.flow.status import NodeStatus
from cli.node_progress import NodeProgress
from cli.shape import Shape

_AT_WORK: Final = ("running", "waiting")
_LAST: Final = 2
"""Iterations of a long loop that are shown: this one and the one before."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Line:
    """A node at its depth; `summary` tells of the frames inside."""

    depth: int
    name: str
    node: NodeProgress
    summary: str = ""


class Nesting:
    """Knows which frames and nodes were seen below which container."""

    def __init__(self, shape: Shape) -> None:
        self._shape = shape
        self._frames: dict[str, dict[str, None]] = {}
        self._inside: dict[str, dict[str, None]] = {paths.ROOT: dict.fromkeys(shape.top)}
        self._ended: dict[str, str] = {}
        """Frames in which nothing has happened since they ended: of a large map, nearly all."""

    def add(self, path: str) -> None:
        """Takes note of a node, or of a frame that has begun."""
        for each in (path, *paths.around(path)):
            if paths.is_frame(each):
                self._ended.pop(each, None)
                self._frames.setdefault(paths.container_of(each), {})[each] = None
            else:
                self._inside.setdefault(paths.frame_of(each), {})[each] = None

    def reopen(self) -> None:
        """Forgets which frames have ended."""
        self._ended.clear()

    def lines(self, nodes: Mapping[str, NodeProgress], most: int) -> Iterator[Line]:
        """The lines from top to bottom; of a container with more than `most` frames only those that matter now."""
        return self._body(nodes, paths.ROOT, 0, most)

    def _body(self, nodes: Mapping[str, NodeProgress], frame: str, depth: int, most: int) -> Iterator[Line]:
        for path in self._in_order(frame):
            node = nodes.get(path) or NodeProgress(path=path, type=self._shape.type_of(path))
            name = path[len(paths.frame_of(paths.container_of(frame))) :].lstrip("/") if frame else path
            frames = self._ordered(path)
            statuses = {each: self._status(nodes, each, node) for each in frames}
            if node.status == NodeStatus.PENDING and NodeStatus.RUNNING in statuses.values():
                # No event says that a container goes on with what was opened again inside.
                node = replace(node, status=NodeStatus.RUNNING)
            yield Line(depth=depth, name=name, node=node, summary=_summary(node, statuses))
            for each in _shown(node, statuses, most):
                yield from self._body(nodes, each, depth + 1, most)

    def _in_order(self, frame: str) -> list[str]:
        """What was seen in a frame, in the order of the flow."""
        seen = self._inside.get(frame, {})
        body = [paths.within(frame, name) for name in self._shape.body(frame)] if frame else []
        return [*(path for path in body if path in seen), *(path for path in seen if path not in body)]

    def _ordered(self, container: str) -> list[str]:
        found = list(self._frames.get(container, ()))
        return sorted(found, key=lambda frame: int(index) if (index := paths.index_of(frame)).isdigit() else 0)

    def _status(self, nodes: Mapping[str, NodeProgress], frame: str, container: NodeProgress) -> str:
        """What a frame does: as the API tells it, else as the nodes in it do."""
        if frame in nodes:
            return nodes[frame].status
        status = self._ended.get(frame) or self._derived(nodes, frame, container)
        if status in {NodeStatus.COMPLETED, NodeStatus.FAILED}:
            self._ended[frame] = status
        return status

    def _derived(self, nodes: Mapping[str, NodeProgress], frame: str, container: NodeProgress) -> str:
        seen = {path: nodes[path].status for path in self._inside.get(frame, ()) if path in nodes}
        if any(each == NodeStatus.FAILED and not self._shape.handles_errors(path) for path, each in seen.items()):
            return NodeStatus.FAILED
        body = {paths.within(frame, name) for name in self._shape.body(frame)} or set(seen)
        if all(NodeStatus(seen[path]).terminal if path in seen else False for path in body):
            return NodeStatus.COMPLETED
        if NodeStatus(container.status).terminal:
            return NodeStatus.CANCELLED
        open_ = {each for each in seen.values() if NodeStatus(each).open}
        return NodeStatus.WAITING if open_ == {NodeStatus.WAITING} else NodeStatus.RUNNING


def _shown(container: NodeProgress, statuses: Mapping[str, str], most: int) -> list[str]:
    begun = [frame for frame, status in statuses.items() if status != NodeStatus.PENDING]
    if len(begun) <= most:
        return begun
    if container.type == "loop":
        return begun[-_LAST:]
    failed = [frame for frame in begun if statuses[frame] == NodeStatus.FAILED]
    at_work = [frame for frame in begun if statuses[frame] in _AT_WORK]
    chosen = {*failed[:most], *at_work[: max(1, most - len(failed))]}
    return [frame for frame in begun if frame in chosen]


def _summary(container: NodeProgress, statuses: Mapping[str, str]) -> str:
    counts = Counter(map(str, statuses.values()))
    if container.type == "loop":
        done = counts["completed"]
        return f"{done} iteration{'' if done == 1 else 's'} done" if done else ""
    if container.type != "map":
        return ""
    total = max(container.total or 0, len(statuses))
    others = (
        f"{counts[status]} {status}" for status in ("running", "waiting", "failed", "cancelled") if counts[status]
    )
    return ", ".join([f"{counts['completed']}/{total} done", *others])
