"""The graph of one body as it stands in the file: edges, cycles, what leads where."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Final

from aispine.flow.draft import Draft

DEPENDS_ON: Final = "depends_on"
ON_ERROR: Final = "on_error"


@dataclass(frozen=True, kw_only=True, slots=True)
class Edge:
    """From one draft to another, by their places in the body; `label` says which key or choice it comes from."""

    source: int
    target: int
    label: str


@dataclass(frozen=True, kw_only=True, slots=True)
class Graph:
    """The drafts of one body with the edges between them. Sets of nodes are integers with one bit for each."""

    drafts: tuple[Draft, ...]
    index: Mapping[str, int]
    incoming: Mapping[int, tuple[Edge, ...]]
    outgoing: Mapping[int, tuple[Edge, ...]]
    order: tuple[int, ...]
    """Topological; without the nodes that lie on a cycle or behind one."""
    cycles: tuple[tuple[int, ...], ...]

    @property
    def everything(self) -> int:
        return (1 << len(self.drafts)) - 1

    def id(self, place: int) -> str:
        return self.drafts[place].node.id

    def ancestors(self) -> list[int]:
        """For each node the set of those that it comes after; everything on a cycle and behind one."""
        masks = [self.everything] * len(self.drafts)
        for place in self.order:
            masks[place] = 0
            for edge in self.incoming[place]:
                masks[place] |= masks[edge.source] | 1 << edge.source
        return masks

    def reached(self, starts: Iterable[int]) -> set[int]:
        """The nodes that some path leads to from the starts, the starts included."""
        found = set(starts)
        left = list(found)
        while left:
            for edge in self.outgoing[left.pop()]:
                if edge.target not in found:
                    found.add(edge.target)
                    left.append(edge.target)
        return found


def graph(drafts: tuple[Draft, ...]) -> Graph:
    """The graph of a body; what is named but not there is left out."""
    index: dict[str, int] = {}
    for place, draft in enumerate(drafts):
        index.setdefault(draft.node.id, place)
    edges = [edge for place, draft in enumerate(drafts) for edge in _edges(place, draft, index)]
    incoming, outgoing = _grouped(edges, by_target=True), _grouped(edges, by_target=False)
    order, left = _sorted(len(drafts), incoming, outgoing)
    return Graph(
        drafts=drafts,
        index=index,
        incoming=incoming,
        outgoing=outgoing,
        order=tuple(order),
        cycles=tuple(_cycles(left, incoming, outgoing)),
    )


def _edges(place: int, draft: Draft, index: Mapping[str, int]) -> Iterable[Edge]:
    node = draft.node
    for source in node.depends_on:
        if (found := index.get(source, place)) != place:
            yield Edge(source=found, target=place, label=DEPENDS_ON)
    for choice in node.choices:
        yield from _to(place, choice.then, choice.label, index)
    if node.on_error:
        yield from _to(place, (node.on_error,), ON_ERROR, index)


def _to(place: int, targets: Iterable[str], label: str, index: Mapping[str, int]) -> Iterable[Edge]:
    for target in targets:
        if (found := index.get(target, place)) != place:
            yield Edge(source=place, target=found, label=label)


def _grouped(edges: Iterable[Edge], *, by_target: bool) -> Mapping[int, tuple[Edge, ...]]:
    groups: defaultdict[int, list[Edge]] = defaultdict(list)
    for edge in edges:
        groups[edge.target if by_target else edge.source].append(edge)
    return defaultdict(tuple, {place: tuple(group) for place, group in groups.items()})


def _sorted(
    count: int, incoming: Mapping[int, tuple[Edge, ...]], outgoing: Mapping[int, tuple[Edge, ...]]
) -> tuple[list[int], dict[int, int]]:
    """The topological order, and how many edges the nodes that are left still wait for."""
    waiting = {place: len(incoming[place]) for place in range(count)}
    order: list[int] = []
    _settle([place for place, edges in waiting.items() if not edges], waiting, outgoing, order)
    return order, waiting


def _settle(
    ready: list[int], waiting: dict[int, int], outgoing: Mapping[int, tuple[Edge, ...]], order: list[int]
) -> None:
    """Takes ready nodes out of those that wait, and so on with the ones that they make ready."""
    while ready:
        place = ready.pop()
        waiting.pop(place, None)
        order.append(place)
        for edge in outgoing[place]:
            if edge.target in waiting:
                waiting[edge.target] -= 1
                if not waiting[edge.target]:
                    ready.append(edge.target)


def _cycles(
    left: dict[int, int], incoming: Mapping[int, tuple[Edge, ...]], outgoing: Mapping[int, tuple[Edge, ...]]
) -> Iterable[tuple[int, ...]]:
    """Cycles that share no node, until none is left; each starts with the node that comes first in the file."""
    while left:
        cycle = _walk_back(next(iter(left)), left, incoming)
        first = cycle.index(min(cycle))
        yield (*cycle[first:], *cycle[:first])
        for place in cycle:
            left.pop(place)
        for place in cycle:
            _release(place, left, outgoing)


def _release(place: int, left: dict[int, int], outgoing: Mapping[int, tuple[Edge, ...]]) -> None:
    ready = []
    for edge in outgoing[place]:
        if edge.target in left:
            left[edge.target] -= 1
            if not left[edge.target]:
                ready.append(edge.target)
    _settle(ready, left, outgoing, [])


def _walk_back(start: int, left: Mapping[int, int], incoming: Mapping[int, tuple[Edge, ...]]) -> list[int]:
    """Every node that is left has an incoming edge from another one that is left, so going back meets itself."""
    seen: dict[int, int] = {}
    path: list[int] = []
    place = start
    while place not in seen:
        seen[place] = len(path)
        path.append(place)
        place = next(edge.source for edge in incoming[place] if edge.source in left)
    return path[: seen[place] - 1 if seen[place] else None : -1]
