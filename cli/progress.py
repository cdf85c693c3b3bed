"""How far an execution is, as its events tell it. Pure: events in, nodes and lines out."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace
from datetime import datetime
from typing import Any, Final

from aispine.flow.status import OPEN_NODES, ExecutionStatus, NodeStatus
from cli import text, waiting
from cli.nesting import Line, Nesting
from cli.node_progress import NodeProgress, advanced
from cli.shape import Shape

_ACTIVE: Final = ("running", "retrying", "waiting", "queued", "failed")
"""The statuses that a crowded screen keeps; the rest are counted."""
_FRAMES: Final = 5
"""How many frames of a container a screen shows before it only sums them up."""
_CONTAINERS: Final = frozenset({"loop", "map", "fork"})
_EXECUTION_STATUS: Final = {"started": "running", "retried": "running", "resumed": "running"}


class Progress:
    """An execution's nodes in the order of the flow, brought forward event by event."""

    def __init__(self, execution: Mapping[str, Any], shape: Shape | None = None) -> None:
        self.execution_id: str = execution["execution_id"]
        self.title = f"{execution['flow_id']} {execution['version']}"
        self.status: str = ExecutionStatus.QUEUED
        self.created_at: str | None = execution.get("created_at")
        self.started_at: str | None = None
        self.finished_at: str | None = None
        self._shape = shape or Shape()
        self._nesting = Nesting(self._shape)
        self._passed_by: set[str] = set()
        self.nodes = {path: NodeProgress(path=path, type=self._shape.type_of(path)) for path in self._shape.top}

    @property
    def ended(self) -> bool:
        return ExecutionStatus(self.status).terminal

    def seconds(self, now: datetime) -> float | None:
        """How long the execution took, or takes so far, since it began."""
        return text.between(self.started_at or self.created_at, self.finished_at, now=now)

    @property
    def shown_status(self) -> str:
        """The status; `waiting` when nothing goes on without somebody or some time, which no event says."""
        open_ = {node.status for node in self.nodes.values() if node.type not in _CONTAINERS} & OPEN_NODES
        waits = self.status == ExecutionStatus.RUNNING and open_ == {NodeStatus.WAITING}
        return ExecutionStatus.WAITING if waits else self.status

    def settle(self, execution: Mapping[str, Any]) -> None:
        """Takes the times of an ended execution as the API tells them, so that every view says the same."""
        self.started_at = execution.get("started_at") or self.started_at
        self.finished_at = execution.get("finished_at") or self.finished_at

    def advice(self) -> Iterator[str]:
        """What somebody can do about the nodes that wait."""
        for node in self.nodes.values():
            said = waiting.advice(self.execution_id, node.path, node.waits) if node.waits else None
            if said:
                yield said

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
        if verb == "started":
            self.started_at = event["created_at"]
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
