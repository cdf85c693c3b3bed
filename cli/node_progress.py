"""One node of an execution as a screen shows it, brought forward by events or read from the API."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any, Final

from aispine.flow.status import NodeStatus
from cli import text, waiting


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
    total: int | None = None
    """Of a map, how many items it has."""
    waits: Mapping[str, Any] | None = None
    """What it waits for, while it does."""
    said: tuple[Any, str] | None = None
    """The turn of its model and the last words of it."""

    def seconds(self, now: datetime) -> float | None:
        """How long the node took, or takes so far."""
        return text.between(self.started_at, self.finished_at, now=now)


_LAST_WORDS: Final = 48
"""Characters of what a model says that a screen keeps."""
_NODE_STATUS: Final = {"started": "running", "lost": "queued"}


def advanced(node: NodeProgress, verb: str, event: Mapping[str, Any]) -> NodeProgress:
    """The node after one of its events."""
    status, data = _NODE_STATUS.get(verb, verb), event.get("data") or {}
    if verb == "tokens":
        return _saying(node, data)
    if status not in set(NodeStatus):
        return node
    waits = waiting.of_event(data) if verb == "waiting" else None
    changed = replace(node, status=status, note=note(verb, data), total=data.get("total", node.total), waits=waits)
    if verb in {"started", "waiting"}:
        attempt = data.get("attempt") or max(node.attempts, 1)
        return replace(changed, attempts=attempt, started_at=node.started_at or event["created_at"], finished_at=None)
    if not NodeStatus(status).terminal:
        return changed
    return replace(changed, attempts=data.get("attempt") or node.attempts, finished_at=event["created_at"])


def _saying(node: NodeProgress, data: Mapping[str, Any]) -> NodeProgress:
    """The node with the last words of its model; those of another turn are forgotten."""
    turn = (data.get("attempt"), data.get("step"), data.get("model"))
    said = (node.said[1] if node.said and node.said[0] == turn else "") + str(data.get("text", ""))
    shown = text.one_line(said[-_LAST_WORDS:])
    return replace(node, said=(turn, said[-_LAST_WORDS:]), note=f"…{shown}" if len(said) > _LAST_WORDS else shown)


def of_result(node: Mapping[str, Any]) -> NodeProgress:
    """The node as the API shows it."""
    return NodeProgress(
        path=node["path"],
        type=node.get("type") or "",
        status=node["status"],
        attempts=node.get("attempts") or 0,
        started_at=node.get("started_at"),
        finished_at=node.get("finished_at"),
        note=text.one_line(_about(node), 200),
    )


def _about(node: Mapping[str, Any]) -> str:
    """What it waits for with the time here, else why it does not run, else why it failed."""
    waits = node.get("waiting_for") or {}
    if waits.get("kind") in waiting.WAITS or waits.get("kind") == "timer":
        return waiting.words(waits)
    return str(node.get("reason") or (error_text(node["error"]) if node.get("error") else ""))


def note(verb: str, data: Mapping[str, Any]) -> str:
    """What an event says beside its status: the error, the delay before the next attempt, the way chosen."""
    return text.one_line("; ".join(_notes(verb, data)))


def _notes(verb: str, data: Mapping[str, Any]) -> Iterator[str]:
    if verb == "lost":
        yield "its worker is gone"
    if verb == "waiting":
        yield waiting.words(waiting.of_event(data))
    if isinstance(data.get("delay"), int | float):
        yield f"again in {text.duration(data['delay'])}"
    if data.get("chosen"):
        yield f"-> {_chosen(data['chosen'])}"
    if verb == "skipped" and data.get("reason"):
        yield str(data["reason"])
    if data.get("error"):
        yield error_text(data["error"])


def error_text(error: Any) -> str:
    """An error of a node or an execution as `code: message`, with the agent's own code as `code (its own): message`."""
    if not isinstance(error, Mapping):
        return str(error)
    detail = error.get("detail")
    own = detail.get("error_code") if isinstance(detail, Mapping) else None
    code = " ".join(filter(None, (str(error.get("code") or ""), f"({own})" if own else "")))
    return ": ".join(filter(None, (code, str(error.get("message") or ""))))


def _chosen(chosen: Any) -> str:
    return ", ".join(map(str, chosen)) if isinstance(chosen, list) else str(chosen)
