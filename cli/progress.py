"""How far an execution is, as its events tell it. Pure: events in, nodes and lines out."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace
from datetime import datetime
from typing import Any, Final

from aispine.flow.status import ExecutionStatus, NodeStatus
from cli import text
from cli.nesting import Line, Nesting
from cli.node_progress import NodeProgress, advanced
from cli.shape import Shape

_ACTIVE: Final = ("running", "retrying", "waiting", "queued", "failed")
"""The statuses that a crowded screen keeps; the rest are counted."""
_FRAMES: Final = 5
"""How many frames of a container a screen shows before it only sums them up."""
_EXECUTION_STATUS: Final = {"started": "running", "retried": "running", "resumed": "running"}


class Progress:
    """An execution's nodes in the order of the flow, brought forward event by event."""

    def __init__(self, execution: Mapping[str, Any], shape: Shape | None = None) -> None:
        self.execution_id: str = execution["execution_id"]
        self.title = f"{execution['flow_id']} {execution['version']}"
        self.status: str = ExecutionStatus.QUEUED
        self.created_at: str | None = execution.get("created_at")
        self.finished_at: str | None = None
        self._shape = shape or Shape()
        self._nesting = Nesting(self._shape)
        self._passed_by: set[str] = set()
        self.nodes = {path: NodeProgress(path=path, type=self._shape.type_of(path)) for path in self._shape.top}

    @property
    def ended(self) -> bool:
        return ExecutionStatus(self.status).terminal

    def seconds(self, now: datetime) -> float | None:
        """How long the execution took, or takes so far, since it was asked for."""
        return text.between(self.created_at, self.finished_at, now=now)

    def apply(self, event: Mapping[str, Any]) -> None:
        """Takes one event of the execution's log; events that change nothing a person sees are passed over."""
        noun, _, verb = str(event["type"]).partition(".")
        if noun == "execution":
            self._execution(verb, event)
        elif noun == "node" and event.get("path"):
            path = event["path"]
            node = self.nodes.get(path) or NodeProgress(path=path, type=self._shape.type_of(path))
            self.nodes[path] = advanced(node, verb, event)
            self._nesting.add(path)

    def _execution(self, verb: str, event: Mapping[str, Any]) -> None:
        if verb == "retried":
            self._reopen()
        status = _EXECUTION_STATUS.get(verb, verb)
        if status in set(ExecutionStatus):
            self.status = status
            self.finished_at = event["created_at"] if self.ended else None
        if self.ended:
            self._passed_by = {path for path, node in self.nodes.items() if node.status == NodeStatus.PENDING}
            self.nodes |= {path: replace(self.nodes[path], status=NodeStatus.SKIPPED) for path in self._passed_by}

    def _reopen(self) -> None:
        """Puts back what an opened execution does again; what has succeeded in it stays."""
        self._nesting.reopen()
        for path, node in self.nodes.items():
            failed = node.status == NodeStatus.FAILED and not self._shape.handles_errors(path)
            blocked = node.status == NodeStatus.SKIPPED and node.note == "blocked"
            if failed or blocked or node.status == NodeStatus.CANCELLED or path in self._passed_by:
                self.nodes[path] = replace(node, status=NodeStatus.PENDING, note="", started_at=None, finished_at=None)

    def lines(self) -> list[Line]:
        """The nodes as a screen shows them, those in bodies below their containers."""
        return list(self._nesting.lines(self.nodes, _FRAMES))

    def shown(self, limit: int) -> list[Line]:
        """All lines when they are at most `limit`, else those that are at work or failed, as many as fit."""
        lines = self.lines()
        return lines if len(lines) <= limit else [line for line in lines if line.node.status in _ACTIVE][:limit]

    def counts(self) -> Iterator[tuple[str, int]]:
        """How many nodes have each status, in the order of a node's life."""
        statuses = [node.status for node in self.nodes.values()]
        return ((status, statuses.count(status)) for status in NodeStatus if status in statuses)
