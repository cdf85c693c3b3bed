"""What a waiting node waits for, in words, and what somebody can do about it."""

from __future__ import annotations

import shlex
from collections.abc import Mapping
from typing import Any, Final

from cli import text


def of_event(data: Mapping[str, Any]) -> dict[str, Any]:
    """What the event of a node that begins to wait says, in the words of the API."""
    return {
        "kind": "child" if data.get("child") else data.get("for"),
        "name": data.get("signal") or data.get("mutex"),
        "execution_id": data.get("child"),
        "due_at": data.get("until"),
    }


def words(waits: Mapping[str, Any]) -> str:
    """What a node waits for, and until when."""
    holder = f", held by {waits['held_by']}" if waits.get("held_by") else ""
    what = WAITS.get(str(waits.get("kind")), "")
    what = what.format(name=waits.get("name"), id=waits.get("execution_id"), holder=holder)
    until = text.local(waits["due_at"]) if waits.get("due_at") else None
    return " ".join(filter(None, (what, f"until {until}" if until else "")))


def advice(execution_id: str, path: str, waits: Mapping[str, Any]) -> str | None:
    """The command that lets the node go on, None where nobody has to do anything."""
    if waits.get("kind") == "approval":
        return f"Answer with `aispine approval answer {execution_id} {shlex.quote(path)} --approve`, or --reject."
    if waits.get("kind") == "signal":
        return f"Signal with `aispine execution signal {execution_id} {shlex.quote(str(waits.get('name')))}`."
    return None


WAITS: Final = {
    "signal": "for the signal {name}",
    "approval": "for an answer",
    "mutex": "for the mutex {name}{holder}",
    "child": "for the execution {id}",
}
