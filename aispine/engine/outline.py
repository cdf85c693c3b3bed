"""The canvas of a whole flow as a tree for people: each segment, what starts it, and how it is sent."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from aispine.flow.model import Flow, Node
from aispine.flow.plan import CONTAINERS, WAITS, Edge, EdgeKind, Graph, in_place, make_graph, needs_worker, plan
from aispine.flow.shape import Chain, Chord, Lane, Shape, Step, shape


@dataclass(frozen=True, kw_only=True, slots=True)
class Tree:
    """A line and what stands below it."""

    label: str
    children: tuple[Tree, ...] = ()


def describe(flow: Flow) -> Tree:
    """The segments of a flow in the order in which they can start: chains, groups and chords, containers and waits."""
    return Tree(label=f"flow {flow.flow_id} {flow.version}", children=_parts(plan(flow).graph))


def _parts(graph: Graph, start: str = "at the start") -> tuple[Tree, ...]:
    """What a graph consists of, each part under what starts it; `start` is said of what nothing in the graph starts."""
    return tuple(Tree(label=_trigger(graph, name, start), children=(part,)) for name, part in _segments(graph))


def _segments(graph: Graph) -> Iterator[tuple[str, Tree]]:
    covered: set[str] = set()
    for name in graph.order:
        node = graph.nodes[name]
        if node.type in CONTAINERS:
            yield name, _container(node)
        elif node.type in WAITS:
            yield name, Tree(label=_waiting(node))
        elif name not in covered and needs_worker(node):
            together = [other for other in _siblings(graph, name) if other not in covered]
            part = shape(graph, together)
            covered.update(_steps(part))
            yield together[0], _tree(graph, part)


def _container(node: Node) -> Tree:
    if node.fork is not None:
        branches = (
            Tree(label=f"branch {name}", children=_parts(make_graph(body), "with the branch"))
            for name, body in node.fork.branches.items()
        )
        return Tree(label=f"fork {node.id}", children=tuple(branches))
    start = "with each item" if node.map else "with each iteration"
    parts = _parts(make_graph(node.bodies[0]), start)
    return Tree(label=f"{node.type} {node.id}, {_bounds(node)}", children=parts)


def _bounds(node: Node) -> str:
    if node.loop is not None:
        return f"{node.loop.max_iterations} iterations at most"
    together = node.map.max_concurrency if node.map else None
    return "each item" if together is None else f"each item, {together} at a time"


def _waiting(node: Node) -> str:
    if node.approval is not None:
        return f"wait {node.id} for a person"
    wait = node.wait
    return f"wait {node.id} for the signal {wait.signal}" if wait and wait.signal else f"wait {node.id} for a time"


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


def _trigger(graph: Graph, name: str, start: str) -> str:
    edges = _seen_through(graph, graph.incoming[name])
    if not edges:
        return start
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
    if node.subflow is not None:
        return f"{name} (subflow {node.subflow.flow_id})"
    called = node.agent_id or node.tool_id
    return f"{name} ({called})" if called else name


def _steps(part: Shape) -> Iterator[str]:
    if isinstance(part, Step):
        yield part.path
    elif isinstance(part, Lane):
        yield from part.paths
    else:
        for member in part.members:
            yield from _steps(member)
