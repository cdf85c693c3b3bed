"""The shape of a canvas: which Celery primitives carry the nodes that became ready, and what follows them. Pure."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Final

from aispine.flow.plan import Edge, EdgeKind, Graph, in_place, needs_worker

MAX_CHAIN: Final = 50
"""A chain carries its whole tail in each message, so a longer one is handed on in parts."""
MAX_GROUP: Final = 500


@dataclass(frozen=True, kw_only=True, slots=True)
class Step:
    """One node that a worker runs."""

    path: str


@dataclass(frozen=True, kw_only=True, slots=True)
class Lane:
    """Quick nodes that one worker runs one after the other, for as long as they are quick."""

    paths: tuple[str, ...]


@dataclass(frozen=True, kw_only=True, slots=True)
class Chain:
    """Nodes one after the other; only the last member may be a group or a chord."""

    members: tuple[Shape, ...]


@dataclass(frozen=True, kw_only=True, slots=True)
class Group:
    """Branches that run side by side and do not meet in one join."""

    members: tuple[Shape, ...]


@dataclass(frozen=True, kw_only=True, slots=True)
class Chord:
    """Branches that all meet in the node `join`, at which the body's `advance` looks."""

    members: tuple[Shape, ...]
    join: str


Shape = Step | Lane | Chain | Group | Chord


LANE: Final = 50
"""How many nodes travel in a lane at most."""
LANES: Final = 2
"""How many lanes a group is cut into at least, so that several workers have something of it."""


def shape(graph: Graph, ready: Sequence[str], quick: Callable[[str], bool] = lambda _: False) -> Shape:
    """The canvas for nodes that are ready at the same time, with the part of the flow behind them that is known.

    `quick` tells which nodes may share a lane.
    """
    return _branches(graph, ready, quick, depth=0)


def first_paths(part: Shape) -> Iterator[str]:
    """The nodes that start when the part is sent."""
    if isinstance(part, Step):
        yield part.path
    elif isinstance(part, Lane):
        yield from part.paths
    elif isinstance(part, Chain):
        yield from first_paths(part.members[0])
    else:
        for member in part.members:
            yield from first_paths(member)


def _branches(graph: Graph, ready: Sequence[str], quick: Callable[[str], bool], depth: int) -> Shape:
    lines = [_line(graph, path) for path in ready]
    if len(lines) == 1:
        return _chain(graph, lines[0], quick, depth)
    members = _members(lines, quick)
    join = _join(graph, [line[-1] for line in lines])
    return Group(members=members) if join is None else Chord(members=members, join=join)


def lanes(ready: Sequence[str]) -> tuple[Shape, ...]:
    """Quick nodes in lanes of about the same length; a few travel alone."""
    if len(ready) <= 2 * LANES:
        return tuple(Step(path=path) for path in ready)
    count = max(LANES, -(-len(ready) // LANE))
    return tuple(Lane(paths=tuple(ready[number::count])) for number in range(count))


def _members(lines: Sequence[Sequence[str]], quick: Callable[[str], bool]) -> tuple[Shape, ...]:
    """The branches: quick ones of a single node share lanes, every other one travels alone."""
    shared = [line[0] for line in lines if len(line) == 1 and quick(line[0])]
    alone = [line for line in lines if len(line) > 1 or not quick(line[0])]
    return (*map(_plain_chain, alone), *lanes(shared))


def _chain(graph: Graph, line: Sequence[str], quick: Callable[[str], bool], depth: int) -> Shape:
    """A line of nodes and, where its end opens into branches, those."""
    members: list[Shape] = [Step(path=path) for path in line]
    following = _opening(graph, line[-1])
    if depth == 0 and 1 < len(following) <= MAX_GROUP:
        members.append(_branches(graph, following, quick, depth + 1))
    return members[0] if len(members) == 1 else Chain(members=tuple(members))


def _plain_chain(line: Sequence[str]) -> Shape:
    steps = tuple(Step(path=path) for path in line)
    return steps[0] if len(steps) == 1 else Chain(members=steps)


def _line(graph: Graph, start: str) -> list[str]:
    """The nodes that certainly follow one another, without those that are evaluated in place."""
    line, current = [start], start
    while len(line) < MAX_CHAIN and (following := _only_follower(graph, current)) is not None:
        current = following
        if needs_worker(graph.nodes[current]):
            line.append(current)
    return line


def _only_follower(graph: Graph, path: str) -> str | None:
    """The node that comes next for certain; behind a subflow, which waits for its child, nothing is known."""
    edges = _certain(graph, path)
    if graph.nodes[path].subflow is not None or len(edges) != 1 or len(graph.incoming[edges[0].target]) != 1:
        return None
    target = graph.nodes[edges[0].target]
    return target.id if needs_worker(target) or in_place(target) else None


def _opening(graph: Graph, path: str) -> list[str]:
    """The nodes for workers that become ready together when `path` completes, seen through those in place."""
    edges = _certain(graph, path)
    while len(edges) == 1 and _is_passage(graph, edges[0].target):
        edges = _certain(graph, edges[0].target)
    targets = [edge.target for edge in edges if len(graph.incoming[edge.target]) == 1]
    return [target for target in targets if needs_worker(graph.nodes[target])]


def _is_passage(graph: Graph, path: str) -> bool:
    return in_place(graph.nodes[path]) and len(graph.incoming[path]) == 1


def _certain(graph: Graph, path: str) -> list[Edge]:
    """The edges that are live whenever the node completes; a choice is known only then."""
    return [edge for edge in graph.outgoing[path] if edge.kind is EdgeKind.DEPENDENCY]


def _join(graph: Graph, ends: Sequence[str]) -> str | None:
    """The node in which exactly these ends meet."""
    targets = {tuple(edge.target for edge in _certain(graph, end)) for end in ends}
    if len(targets) != 1:
        return None
    (following,) = targets
    if len(following) != 1 or len(graph.incoming[following[0]]) != len(ends):
        return None
    return following[0]
