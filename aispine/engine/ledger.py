"""The working copy of one decision: what was read, what changes, what has still to be read."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable, Mapping
from dataclasses import replace
from typing import Any

from aispine.flow.model import Node
from aispine.flow.plan import Plan
from aispine.flow.state import Event, NodeState, Reading, Transition
from aispine.flow.status import EXECUTION_TRANSITIONS, NODE_TRANSITIONS, ExecutionStatus, NodeStatus


class MissingNodesError(Exception):
    """The decision needs rows that were not read; it is taken again with them."""

    def __init__(self, paths: Iterable[str] = (), *, all_open: bool = False) -> None:
        self.paths = frozenset(paths)
        self.all_open = all_open
        super().__init__(f"{sorted(self.paths)}, all_open={all_open}")


class Ledger:
    """Collects the changes of one decision over a `Reading`, which stays as it is."""

    def __init__(self, plan: Plan, reading: Reading) -> None:
        self.plan = plan
        self.now = reading.now
        self.execution = reading.execution
        self.pending: deque[str] = deque()
        """Paths whose incoming edges are all settled, to be resolved next."""
        self._reading = reading
        self._changed: dict[str, NodeState] = {}
        self._events: list[Event] = []
        self._queued: list[str] = []
        self.claimed: str | None = None

    def spec(self, path: str) -> Node:
        return self.plan.node(path)

    def node(self, path: str) -> NodeState:
        """The node as it stands now. Raises `MissingNodesError` when its row was not read."""
        if path in self._changed:
            return self._changed[path]
        if path not in self._reading.nodes:
            if self._may_exist(path):
                raise MissingNodesError({path})
            return self._fresh(path)
        return self._reading.nodes[path] or self._fresh(path)

    def require(self, paths: Iterable[str]) -> None:
        """Asks for several rows at once, so that one more read brings them all."""
        missing = {path for path in paths if path not in self._changed and path not in self._reading.nodes}
        if missing:
            raise MissingNodesError(missing)

    def open_nodes(self) -> list[NodeState]:
        """Every node that is queued, running, retrying or waiting."""
        if not self._reading.all_open:
            raise MissingNodesError(all_open=True)
        paths = dict.fromkeys([*self._reading.nodes, *self._changed])
        return [node for node in map(self.node, paths) if node.status.open]

    def change(self, path: str, **fields: Any) -> NodeState:
        """Changes a node; a change of status keeps the count of open nodes and the table of transitions."""
        before = self.node(path)
        after = replace(before, **fields)
        if after.status is not before.status:
            if after.status not in NODE_TRANSITIONS[before.status]:
                raise AssertionError(f"{path}: {before.status} -> {after.status}")
            self._count(int(after.status.open) - int(before.status.open))
        self._changed[path] = after
        return after

    def set_status(self, status: ExecutionStatus, **fields: Any) -> None:
        before = self.execution.status
        if status not in EXECUTION_TRANSITIONS[before]:
            raise AssertionError(f"execution: {before} -> {status}")
        self.execution = replace(self.execution, status=status, **fields)

    def set_context(self, values: Mapping[str, Any]) -> None:
        self.execution = replace(self.execution, context={**self.execution.context, **values})

    def record(self, kind: str, path: str | None = None, **data: Any) -> None:
        """Appends an event."""
        self._events.append(Event(type=kind, path=path, data=data))

    def queue(self, path: str) -> None:
        """Notes that the node needs a message."""
        self._queued.append(path)

    def take(self, path: str) -> None:
        """Notes that the deciding process runs this queued node itself."""
        if path in self._queued:
            self._queued.remove(path)
        self.claimed = path

    @property
    def queued(self) -> tuple[str, ...]:
        return tuple(self._queued)

    def transition(self) -> Transition:
        seq = self.execution.event_seq + len(self._events)
        return Transition(
            execution=replace(self.execution, event_seq=seq),
            nodes=self._changed,
            events=tuple(self._events),
            queued=tuple(path for path in self._queued if self.node(path).status is NodeStatus.QUEUED),
            claimed=self.claimed,
        )

    def _fresh(self, path: str) -> NodeState:
        return NodeState(path=path, node_id=self.spec(path).id, unsettled=len(self.plan.graph.incoming[path]))

    def _may_exist(self, path: str) -> bool:
        """False when the row cannot be there yet: nothing happened, or the node's only source ends just now."""
        if self._reading.execution.event_seq == 0:
            return False
        sources = self.plan.graph.incoming[path]
        return len(sources) != 1 or sources[0].source not in self._changed

    def _count(self, difference: int) -> None:
        self.execution = replace(self.execution, open_nodes=self.execution.open_nodes + difference)
