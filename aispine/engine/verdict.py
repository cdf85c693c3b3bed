"""What a rehearsal came to against what was expected of it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Final

from aispine.engine.rehearsal import Rehearsed
from aispine.engine.waits import MUTEX
from aispine.flow.rehearsal import Case
from aispine.flow.state import NodeState


@dataclass(frozen=True, kw_only=True, slots=True)
class Difference:
    """Something that is not as expected; both sides are JSON values."""

    what: str
    expected: Any
    actual: Any


def differences(case: Case, rehearsed: Rehearsed) -> tuple[Difference, ...]:
    """Everything that is not as the case expects."""
    return (*_of_execution(case, rehearsed), *_of_nodes(case, rehearsed))


def began(rehearsed: Rehearsed) -> list[str]:
    """The paths of the nodes that began, in that order."""
    told = (event.path for event in rehearsed.events if event.type in _BEGINNINGS and event.data.get("for") != MUTEX)
    return [path for path in dict.fromkeys(told) if path is not None]


_BEGINNINGS: Final = frozenset({"node.started", "node.waiting", "node.completed", "node.failed"})
"""The first of these events of a node says that it began; one that was skipped, queued or in line has none."""


def _of_execution(case: Case, rehearsed: Rehearsed) -> Iterator[Difference]:
    execution = rehearsed.execution
    actual = {
        "status": str(execution.status),
        "output": execution.output,
        "error": _code(execution.error),
        "path": began(rehearsed),
        "context": dict(execution.context),
    }
    for what, value in {"status": "completed", **case.expected}.items():
        expected = list(value) if what == "path" else value
        if expected != actual[what]:
            yield Difference(what=what, expected=expected, actual=actual[what])
    if "status" not in case.expected and execution.error and "error" not in case.expected:
        yield Difference(what="error", expected=None, actual=dict(execution.error))


def _of_nodes(case: Case, rehearsed: Rehearsed) -> Iterator[Difference]:
    for path, expected in case.nodes.items():
        actual = _facts(rehearsed.node(path))
        for what, value in expected.items():
            if value != actual[what]:
                yield Difference(what=f"{path}.{what}", expected=value, actual=actual[what])


def _facts(node: NodeState) -> dict[str, Any]:
    return {
        "status": str(node.status),
        "attempts": node.attempt,
        "input": node.input,
        "output": node.output,
        "error": _code(node.error),
    }


def _code(error: Mapping[str, Any] | None) -> str | None:
    return None if error is None else str(error.get("code"))
