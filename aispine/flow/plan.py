"""The plan of a flow: its edges and their counts, worked out once. Pure; cached per FlowVersion."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from enum import StrEnum
from typing import Final

from aispine.flow import paths
from aispine.flow.model import Flow, Node, NodeType

IN_PLACE: Final = frozenset(
    {NodeType.INPUT, NodeType.TRANSFORM, NodeType.DECISION, NodeType.SWITCH, NodeType.JOIN, NodeType.OUTPUT}
)
"""Types that are evaluated where their edges settle, without a worker, unless they name an agent."""

CONTAINERS: Final = frozenset({NodeType.LOOP, NodeType.MAP, NodeType.FORK})
"""Types with a body that runs in frames of its own."""

WAITS: Final = frozenset({NodeType.WAIT, NodeType.APPROVAL})
"""Types that wait for a time or for somebody, without a worker."""

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
    tolerated: frozenset[str]
    """Nodes whose failure ends nothing: whatever they lead to is a join that does without them."""

    @property
    def exits(self) -> tuple[str, ...]:
        """The nodes whose outputs are the body's: its `output` nodes, else its sinks."""
        outputs = tuple(name for name in self.order if self.nodes[name].type is NodeType.OUTPUT)
        return outputs or self.sinks


@dataclass(frozen=True, kw_only=True, slots=True)
class Plan:
    """A flow made ready to run; `bodies` maps container and branch (empty but for a fork's) to the graph inside."""

    flow: Flow
    graph: Graph
    bodies: Mapping[tuple[str, str], Graph]
    exits: tuple[str, ...]
    """The nodes whose outputs are the execution's when the flow names none: `exit_points`, `output` nodes, or sinks."""
    memo: dict[str, tuple[str, ...]] = field(default_factory=dict, compare=False, repr=False)
    """What was worked out about single nodes and would be worked out again."""

    def node(self, path: str) -> Node:
        """The node at a path, or the container of a frame. Raises KeyError when the flow has none there."""
        outer = paths.container_of(path) if paths.is_frame(path) else path
        return self.graph_at(paths.frame_of(outer)).nodes[paths.name_of(outer)]

    def graph_at(self, frame: str) -> Graph:
        """The graph of the body that runs in a frame."""
        if not frame:
            return self.graph
        name = paths.name_of(frame)
        branch = paths.index_of(frame) if (name, "") not in self.bodies else ""
        return self.bodies[name, branch]

    def incoming(self, path: str) -> tuple[Edge, ...]:
        """The edges that lead to a node, with its frame's paths."""
        return self._placed(path, "incoming")

    def outgoing(self, path: str) -> tuple[Edge, ...]:
        return self._placed(path, "outgoing")

    def _placed(self, path: str, side: str) -> tuple[Edge, ...]:
        frame = paths.frame_of(path)
        found: tuple[Edge, ...] = getattr(self.graph_at(frame), side)[paths.name_of(path)]
        if not frame:
            return found
        return tuple(
            replace(edge, source=paths.within(frame, edge.source), target=paths.within(frame, edge.target))
            for edge in found
        )


def plan(flow: Flow) -> Plan:
    """Plans a valid flow."""
    graph = make_graph(flow.nodes)
    return Plan(flow=flow, graph=graph, bodies=dict(_bodies(flow.nodes)), exits=flow.exit_points or graph.exits)


def _bodies(nodes: Sequence[Node]) -> Iterator[tuple[tuple[str, str], Graph]]:
    for node in nodes:
        names = tuple(node.fork.branches) if node.fork else ("",) * len(node.bodies)
        for name, body in zip(names, node.bodies, strict=True):
            yield (node.id, name), make_graph(body)
            yield from _bodies(body)


def make_graph(nodes: Sequence[Node]) -> Graph:
    """The graph of one body, whose edges stay inside it."""
    incoming: dict[str, list[Edge]] = {node.id: [] for node in nodes}
    outgoing: dict[str, list[Edge]] = {node.id: [] for node in nodes}
    for edge in edges(nodes):
        incoming[edge.target].append(edge)
        outgoing[edge.source].append(edge)
    by_id = {node.id: node for node in nodes}
    order = topological(incoming, outgoing)
    return Graph(
        nodes=by_id,
        incoming={name: tuple(found) for name, found in incoming.items()},
        outgoing={name: tuple(found) for name, found in outgoing.items()},
        order=order,
        roots=tuple(name for name, found in incoming.items() if not found),
        sinks=tuple(name for name, found in outgoing.items() if not found),
        tolerated=_tolerated(by_id, outgoing, order),
    )


def _tolerated(
    nodes: Mapping[str, Node], outgoing: Mapping[str, Sequence[Edge]], order: Sequence[str]
) -> frozenset[str]:
    found: set[str] = set()
    for name in reversed(order):
        targets = [edge.target for edge in outgoing[name] if edge.kind is EdgeKind.DEPENDENCY]
        if targets and all(target in found or is_tolerant(nodes[target]) for target in targets):
            found.add(name)
    return frozenset(found)


def is_tolerant(node: Node) -> bool:
    """True for a join that may do without some of its branches."""
    return node.join is not None and node.join.strategy != "all_complete"


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
    return node.type in IN_PLACE and not node.makes_call


def needs_worker(node: Node) -> bool:
    """True when a message has to bring the node to a worker."""
    return node.makes_call or node.type is NodeType.SUBFLOW
