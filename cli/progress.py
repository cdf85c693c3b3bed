"""How far an execution is, as its events tell it. Pure: events in, nodes and lines out."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any, Final

from aispine.flow.status import ExecutionStatus, NodeStatus
from cli import text

_ACTIVE: Final = ("running", "retrying", "waiting", "queued", "failed")
"""The statuses that a crowded screen keeps; the rest are counted."""


@dataclass(frozen=True, kw_only=True, slots=True)
class NodeProgress:
    """One node; times as ISO 8601 text, `note` is what a person wants to know beside the status."""

    path: str
    type: str = ""
    status: str = NodeStatus.PENDING
    attempts: int = 0
    started_at: str | None = None
    finished_at: str | None = None
    note: str = ""

    def seconds(self, now: datetime) -> float | None:
        """How long the node took, or takes so far."""
        return text.between(self.started_at, self.finished_at, now=now)


class Progress:
    """An execution's nodes in the order of the flow, brought forward event by event."""

    def __init__(self, execution: Mapping[str, Any], nodes: Iterable[Mapping[str, Any]]) -> None:
        self.execution_id: str = execution["execution_id"]
        self.title = f"{execution['flow_id']} {execution['version']}"
        self.status: str = ExecutionStatus.QUEUED
        self.created_at: str | None = execution.get("created_at")
        self.finished_at: str | None = None
        self.nodes = {node["path"]: NodeProgress(path=node["path"], type=node.get("type") or "") for node in nodes}

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
            node = self.nodes.get(event["path"]) or NodeProgress(path=event["path"])
            self.nodes[node.path] = advanced(node, verb, event)

    def _execution(self, verb: str, event: Mapping[str, Any]) -> None:
        status = _EXECUTION_STATUS.get(verb, verb)
        if status in set(ExecutionStatus):
            self.status = status
            self.finished_at = event["created_at"] if self.ended else None
        if self.ended:
            self.nodes = {path: _closed(node) for path, node in self.nodes.items()}

    def shown(self, limit: int) -> list[NodeProgress]:
        """All nodes when they are at most `limit`, else those that are at work or failed, as many as fit."""
        nodes = list(self.nodes.values())
        return nodes if len(nodes) <= limit else [node for node in nodes if node.status in _ACTIVE][:limit]

    def counts(self) -> Iterator[tuple[str, int]]:
        """How many nodes have each status, in the order of a node's life."""
        statuses = [node.status for node in self.nodes.values()]
        return ((status, statuses.count(status)) for status in NodeStatus if status in statuses)


_EXECUTION_STATUS: Final = {"started": "running", "retried": "running", "resumed": "running"}
_NODE_STATUS: Final = {"started": "running", "lost": "queued"}


def advanced(node: NodeProgress, verb: str, event: Mapping[str, Any]) -> NodeProgress:
    """The node after one of its events."""
    status = _NODE_STATUS.get(verb, verb)
    if status not in set(NodeStatus):
        return node
    data = event.get("data") or {}
    changed = replace(node, status=status, note=note(verb, data))
    if verb == "started":
        attempt = data.get("attempt") or node.attempts + 1
        return replace(changed, attempts=attempt, started_at=node.started_at or event["created_at"], finished_at=None)
    if not NodeStatus(status).terminal:
        return changed
    return replace(changed, attempts=data.get("attempt") or node.attempts, finished_at=event["created_at"])


def _closed(node: NodeProgress) -> NodeProgress:
    """A node that never came to its turn before the execution ended."""
    return replace(node, status=NodeStatus.SKIPPED) if node.status == NodeStatus.PENDING else node


def note(verb: str, data: Mapping[str, Any]) -> str:
    """What an event says beside its status: the error, the delay before the next attempt, the way chosen."""
    parts: list[str] = []
    if verb == "lost":
        parts.append("its worker is gone")
    if isinstance(data.get("delay"), int | float):
        parts.append(f"again in {text.duration(data['delay'])}")
    if data.get("chosen"):
        parts.append(f"-> {_chosen(data['chosen'])}")
    if verb == "skipped" and data.get("reason"):
        parts.append(str(data["reason"]))
    if data.get("error"):
        parts.append(error_text(data["error"]))
    return text.one_line("; ".join(parts))


def error_text(error: Any) -> str:
    """An error of a node or an execution as `code: message`."""
    if not isinstance(error, Mapping):
        return str(error)
    return ": ".join(str(error[key]) for key in ("code", "message") if error.get(key))


def _chosen(chosen: Any) -> str:
    return ", ".join(map(str, chosen)) if isinstance(chosen, list) else str(chosen)
