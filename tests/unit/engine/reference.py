"""What must become of a flow, worked out from the rules of the language alone, in one pass over its nodes."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal

from aispine.flow import paths
from aispine.flow.model import Node, NodeType

EdgeState = Literal["live", "dead", "blocked"]


@dataclass(frozen=True, kw_only=True, slots=True)
class Script:
    """What an agent does: it fails this often before it succeeds, or always with a code that is not tried again."""

    failures: int = 0
    fatal: bool = False
    only: int | None = None
    """In which item or iteration it is fatal; None means in all."""

    def is_fatal(self, path: str) -> bool:
        return self.fatal and self.only in {None, _number(paths.frame_of(path))}

    def succeeds(self, node: Node, path: str = "") -> bool:
        attempts = node.retry.max_attempts if node.retry else 3
        return not self.is_fatal(path or node.id) and self.failures < attempts


def _number(frame: str) -> int | None:
    """The number of the item or iteration that a frame is; None for a branch and for the flow itself."""
    index = paths.index_of(frame) if frame else ""
    return int(index) if index.isdigit() else None


@dataclass(kw_only=True)
class Expected:
    """The end of every node; None for one that never runs because something before it failed unhandled."""

    statuses: dict[str, str | None] = field(default_factory=dict)
    inputs: dict[str, Any] = field(default_factory=dict)
    """What the agent of a node with dependencies is asked; only where all live ones have succeeded."""

    @property
    def failed(self) -> bool:
        return None in self.statuses.values() or self.unhandled

    unhandled: bool = False


def predict(nodes: Sequence[Node], flags: Mapping[str, bool], scripts: Mapping[str, Script]) -> Expected:
    """`nodes` in topological order; a decision's and a guard's condition is `input.<id>`."""
    expected = Expected()
    chosen: dict[str, str] = {}
    for node in nodes:
        status = _status(node, nodes, expected.statuses, chosen, flags, scripts)
        expected.statuses[node.id] = status
        if node.type is NodeType.DECISION and status == "completed":
            chosen[node.id] = "then" if flags[node.id] else "else"
        if status == "failed" and node.on_error is None:
            expected.unhandled = True
        _note_input(node, nodes, expected)
    return expected


def _status(
    node: Node,
    nodes: Sequence[Node],
    statuses: Mapping[str, str | None],
    chosen: Mapping[str, str],
    flags: Mapping[str, bool],
    scripts: Mapping[str, Script],
) -> str | None:
    by_id = {other.id: other for other in nodes}
    dependencies = [_dependency(by_id[name], statuses[name]) for name in node.depends_on]
    controls = [state for other in nodes for state in _controls(other, node.id, statuses, chosen)]
    if "blocked" in dependencies + controls:
        return None
    deciding = controls or dependencies
    if deciding and "live" not in deciding:
        return "skipped"
    if node.guard and not flags[node.id]:
        return "skipped"
    if not node.makes_call:
        return "completed"
    return "completed" if scripts[node.id].succeeds(node) else "failed"


def _dependency(source: Node, status: str | None) -> EdgeState:
    """Completed, or failed with `continue`: live. Skipped, or failed and handled: dead. Otherwise blocked."""
    if status == "completed" or (status == "failed" and source.on_error == "continue"):
        return "live"
    if status == "skipped" or (status == "failed" and source.on_error is not None):
        return "dead"
    return "blocked"


def _controls(
    source: Node, target: str, statuses: Mapping[str, str | None], chosen: Mapping[str, str]
) -> list[EdgeState]:
    status = statuses.get(source.id)
    labels = [choice.label for choice in source.choices if target in choice.then]
    edges = [_control(source, status, live=chosen.get(source.id) == label) for label in labels]
    return (
        [*edges, _control(source, status, live=status == "failed", handler=True)]
        if source.on_error == target
        else edges
    )


def _control(source: Node, status: str | None, *, live: bool, handler: bool = False) -> EdgeState:
    if status is None and handler:
        return "dead"
    if status is None or (status == "failed" and source.on_error is None):
        return "blocked"
    return "live" if live else "dead"


def _note_input(node: Node, nodes: Sequence[Node], expected: Expected) -> None:
    """An agent gets the output of its one dependency, or an object by node id when several are declared."""
    status = expected.statuses[node.id]
    sources = {other.id: other for other in nodes if other.id in node.depends_on}
    if not node.makes_call or status not in {"completed", "failed"} or not sources:
        return
    ended = {name: expected.statuses[name] for name in sources}
    if "failed" in ended.values():
        return
    if any(not source.makes_call for source in sources.values()):
        return
    live = {name: {"from": name} for name, end in ended.items() if end == "completed"}
    if _handles_something(node, nodes, expected):
        return
    expected.inputs[node.id] = live if len(sources) > 1 else next(iter(live.values()), {})


def _handles_something(node: Node, nodes: Sequence[Node], expected: Expected) -> bool:
    return any(other.on_error == node.id and expected.statuses[other.id] == "failed" for other in nodes)
