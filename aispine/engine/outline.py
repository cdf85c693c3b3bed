"""The canvas of a whole flow as a tree for people: each segment, what starts it, and how it is sent."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from aispine.flow.model import Flow
from aispine.flow.plan import Edge, EdgeKind, Graph, in_place, needs_worker, plan
from aispine.flow.shape import Chain, Chord, Lane, Shape, Step, shape


@dataclass(frozen=True, kw_only=True, slots=True)
class Tree:
    """A line and what stands below it."""

    label: str
    children: tuple[Tree, ...] = ()


def describe(flow: Flow) -> Tree:
    """The segments of a flow in the order in which they can start, each with its chain, group or chord."""
    graph = plan(flow).graph
    children = tuple(
        Tree(label=_trigger(graph, names[0]), children=(_tree(graph, part),)) for names, part in _segments(graph)
    )
    return Tree(label=f"flow {flow.flow_id} {flow.version}", children=children)


def _segments(graph: Graph) -> Iterator[tuple[list[str], Shape]]:
    covered: set[str] = set()
    for name in graph.order:
        if name in covered or not needs_worker(graph.nodes[name]):
            continue
        together = [other for other in _siblings(graph, name) if other not in covered]
        part = shape(graph, together)
        covered.update(_steps(part))
        yield together, part


def _siblings(graph: Graph, name: str) -> list[str]:
    """The nodes for workers that become ready by the very same edges."""
    causes = _causes(graph, name)
    found = [other for other in graph.order if needs_worker(graph.nodes[other]) and _causes(graph, other) == causes]
    return found if len(causes) == 1 or not causes else [name]


def _causes(graph: Graph, name: str) -> frozenset[tuple[str, str]]:
    """The edges that make a node ready, seen through single passages that are evaluated in place."""
    return frozenset((edge.source, edge.label) for edge in _seen_through(graph, graph.incoming[name]))


def _seen_through(graph: Graph, edges: tuple[Edge, ...]) -> tuple[Edge, ...]:
    while len(edges) == 1 and edges[0].kind is EdgeKind.DEPENDENCY and in_place(graph.nodes[edges[0].source]):
        edges = graph.incoming[edges[0].source]
    return edges


def _trigger(graph: Graph, name: str) -> str:
    edges = _seen_through(graph, graph.incoming[name])
    if not edges:
        return "at the start"
    return " or ".join(dict.fromkeys(map(_reason, edges))) if _controlled(edges) else _after(edges)


def _controlled(edges: tuple[Edge, ...]) -> bool:
    return any(edge.kind is EdgeKind.CONTROL for edge in edges)


def _reason(edge: Edge) -> str:
    if edge.label == "on_error":
        return f"when {edge.source} fails"
    return f"when {edge.source} chooses {edge.label}" if edge.kind is EdgeKind.CONTROL else f"after {edge.source}"


def _after(edges: tuple[Edge, ...]) -> str:
    sources = list(dict.fromkeys(edge.source for edge in edges))
    shown = ", ".join(sources[:6]) + (f" and {len(sources) - 6} more" if len(sources) > 6 else "")
    return f"after {shown}"


def _tree(graph: Graph, part: Shape) -> Tree:
    if isinstance(part, Step):
        return Tree(label=f"run {_named(graph, part.path)}")
    if isinstance(part, Lane):
        return Tree(label="lane", children=tuple(Tree(label=f"run {_named(graph, path)}") for path in part.paths))
    children = tuple(_tree(graph, member) for member in part.members)
    if isinstance(part, Chain):
        return Tree(label="chain", children=children)
    if isinstance(part, Chord):
        return Tree(label=f"chord, body advance {part.join}", children=children)
    return Tree(label="group", children=children)


def _named(graph: Graph, name: str) -> str:
    node = graph.nodes[name]
    return f"{name} ({node.agent_id})" if node.agent_id else name


def _steps(part: Shape) -> Iterator[str]:
    if isinstance(part, Step):
        yield part.path
    elif isinstance(part, Lane):
        yield from part.paths
    else:
        for member in part.members:
            yield from _steps(member)
