"""The plan of a flow: its edges and their counts, worked out once. Pure; cached per FlowVersion."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from aispine.flow.model import Flow, Node, NodeType

IN_PLACE: Final = frozenset({NodeType.INPUT, NodeType.TRANSFORM, NodeType.DECISION, NodeType.SWITCH, NodeType.OUTPUT})
"""Types that are evaluated where their edges settle, without a worker, unless they name an agent."""

CONTINUE: Final = "continue"
FAIL: Final = "fail"


class EdgeKind(StrEnum):
    CONTROL = "control"
    DEPENDENCY = "dependency"


@dataclass(frozen=True, kw_only=True, slots=True)
class Edge:
    """From one node to another; `label` says which choice or `on_error` a control edge stands for."""

    source: str
    target: str
    kind: EdgeKind
    label: str = "depends_on"


@dataclass(frozen=True, kw_only=True, slots=True)
class Graph:
    """The nodes of one body and the edges between them; `roots` have no incoming edge, `order` is topological."""

    nodes: Mapping[str, Node]
    incoming: Mapping[str, tuple[Edge, ...]]
    outgoing: Mapping[str, tuple[Edge, ...]]
    order: tuple[str, ...]
    roots: tuple[str, ...]
    sinks: tuple[str, ...]


@dataclass(frozen=True, kw_only=True, slots=True)
class Plan:
    """A flow made ready to run."""

    flow: Flow
    graph: Graph
    exits: tuple[str, ...]
    """The nodes whose outputs are the execution's when the flow names none: `exit_points`, `output` nodes, or sinks."""

    def node(self, path: str) -> Node:
        """The node at a path. Raises KeyError when the flow has none there."""
        return self.graph.nodes[path]


def plan(flow: Flow) -> Plan:
    """Plans a valid flow."""
    graph = make_graph(flow.nodes)
    outputs = tuple(node.id for node in flow.nodes if node.type is NodeType.OUTPUT)
    return Plan(flow=flow, graph=graph, exits=flow.exit_points or outputs or graph.sinks)


def make_graph(nodes: Sequence[Node]) -> Graph:
    """The graph of one body, whose edges stay inside it."""
    incoming: dict[str, list[Edge]] = {node.id: [] for node in nodes}
    outgoing: dict[str, list[Edge]] = {node.id: [] for node in nodes}
    for edge in edges(nodes):
        incoming[edge.target].append(edge)
        outgoing[edge.source].append(edge)
    return Graph(
        nodes={node.id: node for node in nodes},
        incoming={name: tuple(found) for name, found in incoming.items()},
        outgoing={name: tuple(found) for name, found in outgoing.items()},
        order=topological(incoming, outgoing),
        roots=tuple(name for name, found in incoming.items() if not found),
        sinks=tuple(name for name, found in outgoing.items() if not found),
    )


def edges(nodes: Iterable[Node]) -> Iterable[Edge]:
    """Every edge that the nodes declare, each once."""
    for node in nodes:
        for source in dict.fromkeys(node.depends_on):
            yield Edge(source=source, target=node.id, kind=EdgeKind.DEPENDENCY)
        for choice in node.choices:
            for target in dict.fromkeys(choice.then):
                yield Edge(source=node.id, target=target, kind=EdgeKind.CONTROL, label=choice.label)
        if node.on_error not in {None, CONTINUE, FAIL}:
            yield Edge(source=node.id, target=str(node.on_error), kind=EdgeKind.CONTROL, label="on_error")


def topological(incoming: Mapping[str, Sequence[Edge]], outgoing: Mapping[str, Sequence[Edge]]) -> tuple[str, ...]:
    """The names in an order in which every source comes before its targets; shorter than the whole on a cycle."""
    missing = {name: len(found) for name, found in incoming.items()}
    order = [name for name, count in missing.items() if count == 0]
    for name in order:
        for edge in outgoing[name]:
            missing[edge.target] -= 1
            if missing[edge.target] == 0:
                order.append(edge.target)
    return tuple(order)


def in_place(node: Node) -> bool:
    """True when the node needs no worker."""
    return node.type in IN_PLACE and not node.calls_agent


def ancestors(graph: Graph) -> Mapping[str, frozenset[str]]:
    """For each node, all that can have ended before it starts."""
    found: dict[str, frozenset[str]] = defaultdict(frozenset)
    for name in graph.order:
        sources = {edge.source for edge in graph.incoming[name]}
        found[name] = frozenset(sources).union(*(found[source] for source in sources)) if sources else frozenset()
    return found
