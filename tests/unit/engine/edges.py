"""What an edge is once its source has ended, from the text of the language alone."""

from __future__ import annotations

from typing import Literal

from aispine.flow import paths
from aispine.flow.model import Node
from aispine.flow.plan import Edge, EdgeKind
from aispine.flow.state import NodeState

EdgeState = Literal["live", "dead", "blocked"]


def settled(edge: Edge, source: NodeState | None, spec: Node) -> EdgeState | None:
    """None while the source has not ended; its failure is handled by `continue` or by the node that `on_error` names.

    A node that was skipped because it waits for a failure passes the block on, except to its own failure handler.
    """
    if source is None or not source.status.terminal:
        return None
    if source.status == "completed":
        return _live(_is_chosen(edge, source))
    if source.status == "failed" and spec.on_error not in {None, "fail"}:
        return _live(_is_handled_by(edge, spec))
    if source.status == "failed":
        return "blocked"
    blocked = source.status == "skipped" and (source.state or {}).get("reason") == "blocked"
    return "blocked" if blocked and edge.label != "on_error" else "dead"


def _live(holds: bool) -> EdgeState:
    return "live" if holds else "dead"


def _is_chosen(edge: Edge, source: NodeState) -> bool:
    return edge.kind is EdgeKind.DEPENDENCY or edge.label == (source.state or {}).get("chosen")


def _is_handled_by(edge: Edge, spec: Node) -> bool:
    if edge.kind is EdgeKind.DEPENDENCY:
        return spec.on_error == "continue"
    return edge.label == "on_error" and spec.on_error == paths.name_of(edge.target)
