"""One node of an execution as a screen shows it, brought forward by events or read from the API."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any, Final

from aispine.flow.status import NodeStatus
from cli import text


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

    def seconds(self, now: datetime) -> float | None:
        """How long the node took, or takes so far."""
        return text.between(self.started_at, self.finished_at, now=now)


_NODE_STATUS: Final = {"started": "running", "lost": "queued"}


def advanced(node: NodeProgress, verb: str, event: Mapping[str, Any]) -> NodeProgress:
    """The node after one of its events."""
    status = _NODE_STATUS.get(verb, verb)
    if status not in set(NodeStatus):
        return node
    data = event.get("data") or {}
    changed = replace(node, status=status, note=note(verb, data), total=data.get("total", node.total))
    if verb in {"started", "waiting"}:
        attempt = data.get("attempt") or max(node.attempts, 1)
        return replace(changed, attempts=attempt, started_at=node.started_at or event["created_at"], finished_at=None)
    if not NodeStatus(status).terminal:
        return changed
    return replace(changed, attempts=data.get("attempt") or node.attempts, finished_at=event["created_at"])


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
    if waits.get("kind") in _WAITS or waits.get("kind") == "timer":
        return waiting_text(waits)
    return str(node.get("reason") or (error_text(node["error"]) if node.get("error") else ""))


def note(verb: str, data: Mapping[str, Any]) -> str:
    """What an event says beside its status: the error, the delay before the next attempt, the way chosen."""
    return text.one_line("; ".join(_notes(verb, data)))


def _notes(verb: str, data: Mapping[str, Any]) -> Iterator[str]:
    if verb == "lost":
        yield "its worker is gone"
    if verb == "waiting":
        yield waiting_text(_waiting_for(data))
    if isinstance(data.get("delay"), int | float):
        yield f"again in {text.duration(data['delay'])}"
    if data.get("chosen"):
        yield f"-> {_chosen(data['chosen'])}"
    if verb == "skipped" and data.get("reason"):
        yield str(data["reason"])
    if data.get("error"):
        yield error_text(data["error"])


def _waiting_for(data: Mapping[str, Any]) -> dict[str, Any]:
    """What the event of a node that begins to wait says, in the words of the API."""
    return {
        "kind": "child" if data.get("child") else data.get("for"),
        "name": data.get("signal") or data.get("mutex"),
        "execution_id": data.get("child"),
        "due_at": data.get("until"),
    }


def waiting_text(waits: Mapping[str, Any]) -> str:
    """What a node waits for, and until when."""
    holder = f", held by {waits['held_by']}" if waits.get("held_by") else ""
    words = _WAITS.get(str(waits.get("kind")), "")
    words = words.format(name=waits.get("name"), id=waits.get("execution_id"), holder=holder)
    until = text.local(waits["due_at"]) if waits.get("due_at") else None
    return " ".join(filter(None, (words, f"until {until}" if until else "")))


_WAITS: Final = {
    "signal": "for the signal {name}",
    "approval": "for an answer",
    "mutex": "for the mutex {name}{holder}",
    "child": "for the execution {id}",
}


def error_text(error: Any) -> str:
    """An error of a node or an execution as `code: message`."""
    if not isinstance(error, Mapping):
        return str(error)
    return ": ".join(str(error[key]) for key in ("code", "message") if error.get(key))


def _chosen(chosen: Any) -> str:
    return ", ".join(map(str, chosen)) if isinstance(chosen, list) else str(chosen)
