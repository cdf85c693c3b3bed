"""The shape of a flow as the API tells it: which nodes stand in which body, and what they are."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

from aispine.flow import paths


class Shape:
    """The nodes of a flow by id, and of each body the ids in it."""

    def __init__(self, nodes: Sequence[Mapping[str, Any]] = ()) -> None:
        self.top: tuple[str, ...] = tuple(node["id"] for node in nodes)
        self._nodes: dict[str, Mapping[str, Any]] = {node["id"]: node for node in _with_bodies(nodes)}

    def type_of(self, path: str) -> str:
        """What the node at a path does; nothing where the flow is not known."""
        return str(self._nodes.get(paths.name_of(path), {}).get("type") or "")

    def handles_errors(self, path: str) -> bool:
        """True when a failure of the node does not end its frame."""
        return self._nodes.get(paths.name_of(path), {}).get("on_error") not in {None, "fail"}

    def body(self, frame: str) -> tuple[str, ...]:
        """The ids of the nodes that run in a frame."""
        container = self._nodes.get(paths.name_of(frame), {})
        bodies, branches = container.get("bodies") or [], container.get("branches") or []
        index = paths.index_of(frame)
        chosen = bodies[branches.index(index)] if index in branches else next(iter(bodies), [])
        return tuple(node["id"] for node in chosen)


def _with_bodies(nodes: Iterable[Mapping[str, Any]]) -> Iterator[Mapping[str, Any]]:
    for node in nodes:
        yield node
        for body in node.get("bodies") or ():
            yield from _with_bodies(body)
