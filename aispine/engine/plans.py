"""Plans by FlowVersion, worked out once per process."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Iterator
from typing import Final

from aispine import catalog
from aispine.flow import paths
from aispine.flow.model import Node
from aispine.flow.plan import Graph, Plan, in_place, plan
from aispine.flow.references import References
from aispine.store.database import Store

_SIZE: Final = 256
_REACH: Final = 32
"""How many nodes ahead a read looks; what lies further is read when it is needed."""

_plans: OrderedDict[tuple[str, int], Plan] = OrderedDict()


class NotLoadedError(Exception):
    """The plan of a FlowVersion is not in this process yet."""

    def __init__(self, flow_version_id: int) -> None:
        self.flow_version_id = flow_version_id
        super().__init__(flow_version_id)


def loaded(store: Store, flow_version_id: int) -> Plan:
    """The plan, when this process has it. Raises `NotLoadedError`."""
    found = _plans.get((store.database, flow_version_id))
    if found is None:
        raise NotLoadedError(flow_version_id)
    return found


def find(store: Store, flow_version_id: int, tenant_id: str | None = None) -> Plan:
    """The plan of a deployed version. Raises `NotFound` when there is none."""
    key = (store.database, flow_version_id)
    found = _plans.get(key)
    if found is None:
        found = _plans[key] = _load(store, flow_version_id, tenant_id)
        if len(_plans) > _SIZE:
            _plans.popitem(last=False)
    return found


def reach(plan: Plan, path: str) -> tuple[str, ...]:
    """The rows that are read at once when the node at `path` ends: its frames, joins behind it, what is referred to."""
    frame, name = paths.frame_of(path), paths.name_of(path)
    names = plan.memo.get(name)
    if names is None:
        names = plan.memo[name] = tuple(dict.fromkeys(_ahead(plan.graph_at(frame), name)))
    ahead = (found for each in names if (found := _place(plan, frame, each)) is not None)
    return (path, *ahead, *_around(frame))


def _place(plan: Plan, frame: str, name: str) -> str | None:
    while name not in plan.graph_at(frame).nodes:
        if not frame:
            return None
        frame = paths.frame_of(frame)
    return paths.within(frame, name)


def _around(frame: str) -> Iterator[str]:
    while frame:
        yield frame
        yield paths.container_of(frame)
        frame = paths.frame_of(frame)


def _load(store: Store, flow_version_id: int, tenant_id: str | None) -> Plan:
    with store.session(tenant_id) as session:
        return plan(catalog.load_flow(session, flow_version_id))


def _ahead(graph: Graph, path: str) -> Iterator[str]:
    """Joins that the end of the node may touch, and what its certain followers refer to."""
    names = [path]
    for name in names:
        for edge in graph.outgoing[name]:
            target = graph.nodes[edge.target]
            if len(graph.incoming[edge.target]) > 1:
                yield edge.target
            else:
                yield from _references(target).nodes
                if in_place(target) and len(names) < _REACH:
                    names.append(edge.target)


def _references(node: Node) -> References:
    found = References()
    for expression in (*node.guard, *node.set.values(), node.input, node.output):
        if expression is not None:
            found |= expression.references
    for choice in node.choices:
        if choice.when is not None:
            found |= choice.when.references
    return found
