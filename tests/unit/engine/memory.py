"""The store in memory: rows as PostgreSQL keeps them, read as sparingly, and checked after every write."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from typing import Any

from aispine.flow import paths
from aispine.flow.plan import CONTAINERS, EdgeKind, Plan
from aispine.flow.state import Event, ExecutionState, NodeState, Reading, Signal, Transition
from aispine.flow.status import ACTIVE_NODES, ExecutionStatus, NodeStatus
from aispine.store.transitions import Wanted
from tests.unit.engine.edges import settled


@dataclass(kw_only=True)
class Memory:
    """One execution with its nodes, frames, events and kept signals."""

    plan: Plan
    execution: ExecutionState
    rows: dict[str, NodeState] = field(default_factory=dict)
    events: list[Event] = field(default_factory=list)
    signals: list[Signal] = field(default_factory=list)
    now: datetime = datetime(2026, 1, 1, tzinfo=UTC)

    def read(self, wanted: Wanted) -> Reading:
        names = wanted.paths if wanted.take is None else wanted.paths | {wanted.take}
        nodes = {path: self._seen(path, wanted) for path in names}
        if wanted.all_open or wanted.everything:
            more = (path for path, row in self.rows.items() if wanted.everything or row.status.open)
            nodes |= {path: self._seen(path, wanted) for path in more}
        return Reading(
            execution=self.execution,
            nodes=nodes,
            now=self.now,
            all_open=wanted.all_open or wanted.everything,
            everything=wanted.everything,
            signals=tuple(self.signals) if wanted.signals else None,
        )

    def _seen(self, path: str, wanted: Wanted) -> NodeState | None:
        """A row as a read brings it: a node's input only where somebody needs it."""
        row = self.rows.get(path)
        if row is None or paths.is_frame(row.path) or row.status is NodeStatus.WAITING or path == wanted.take:
            return row
        return replace(row, input=None)

    def write(self, transition: Transition) -> None:
        before = dict(self.rows)
        reopens = transition.execution.reopened > self.execution.reopened
        if transition.events and not reopens:
            assert not self.execution.status.terminal, "something happened after the end"
        assert transition.execution.event_seq == self.execution.event_seq + len(transition.events)
        assert transition.events or _essence(transition.execution) == _essence(self.execution), "changed unnoticed"
        for container in transition.forgotten:
            for path in [path for path in self.rows if path.startswith(f"{container}[")]:
                del self.rows[path]
        self._keep(transition)
        self.execution = transition.execution
        self.events.extend(transition.events)
        for path, node in transition.nodes.items():
            kept = node.input if node.input is not None or path not in self.rows else self.rows[path].input
            self.rows[path] = replace(node, input=kept)
        self._check(before, reopens=reopens)

    def _keep(self, transition: Transition) -> None:
        known = {signal.signal_id for signal in self.signals}
        assert set(transition.consumed) <= known, "a signal is taken twice"
        self.signals = [signal for signal in self.signals if signal.signal_id not in transition.consumed]
        self.signals.extend(transition.kept)

    # What must always hold

    def _check(self, before: dict[str, NodeState], *, reopens: bool) -> None:
        nodes = {path: row for path, row in self.rows.items() if not paths.is_frame(path)}
        execution = self.execution
        assert execution.open_nodes == sum(row.status.open for row in nodes.values()), "open_nodes"
        assert execution.active_nodes == sum(self._is_active(row) for row in nodes.values()), "active_nodes"
        assert execution.event_seq == len(self.events)
        for path, row in self.rows.items():
            self._check_row(path, row)
            if path in before and before[path].status is NodeStatus.COMPLETED and not reopens:
                assert row.status is NodeStatus.COMPLETED, f"{path} was completed"
                assert row.output == before[path].output, f"the output of {path} has changed"
        if execution.status.terminal:
            assert not any(row.status.open for row in self.rows.values()), "open after the end"

    def _is_active(self, row: NodeState) -> bool:
        return row.status in ACTIVE_NODES and self.plan.node(row.path).type not in CONTAINERS

    def _check_row(self, path: str, row: NodeState) -> None:
        if paths.is_frame(path):
            self._check_frame(path, row)
            return
        if row.status.terminal:
            assert row.due_at is None, path
            assert row.lease_owner is None, path
        if row.status.open:
            frame = paths.frame_of(path)
            assert not frame or self.rows[frame].status is NodeStatus.RUNNING, f"{path} is open in an ended frame"
            assert row.lease_owner is not None or self._stands_still(row), f"the time of {path} runs in a pause"
        if row.status is NodeStatus.PENDING and self._is_alive(paths.frame_of(path)):
            assert _counters(row) == self._counted(path), path

    def _stands_still(self, row: NodeState) -> bool:
        paused = self.execution.status is ExecutionStatus.PAUSED
        return not paused or row.due_at is None or row.status is NodeStatus.QUEUED

    def _is_alive(self, frame: str) -> bool:
        if not frame and self.execution.error is not None and self.plan.flow.on_failure == "fail":
            return False
        running = self.rows[frame].status is NodeStatus.RUNNING if frame else True
        return running and not self.execution.status.terminal

    def _check_frame(self, frame: str, row: NodeState) -> None:
        inside = [other for path, other in self.rows.items() if paths.frame_of(path) == frame]
        inside = [other for other in inside if not paths.is_frame(other.path)]
        if row.status is not NodeStatus.RUNNING:
            return
        container = paths.container_of(frame)
        assert self.rows[container].status is NodeStatus.RUNNING, f"{frame} runs in an ended container"
        assert row.remembered("open") == sum(other.status.open for other in inside), frame
        spec = self.plan.node(container)
        if spec.map is not None and spec.map.max_concurrency is not None:
            running = [each for each in self.frames(container) if each.status is NodeStatus.RUNNING]
            assert len(running) <= spec.map.max_concurrency, f"too many items of {container} at once"

    def frames(self, container: str) -> list[NodeState]:
        """The frames of a container, in order."""
        found = [row for path, row in self.rows.items() if paths.is_frame(path)]
        mine = [row for row in found if paths.container_of(row.path) == container]
        indexes = {row.path: paths.index_of(row.path) for row in mine}
        return sorted(mine, key=lambda row: (len(indexes[row.path]), indexes[row.path]))

    def _counted(self, path: str) -> Counter[str]:
        """The counters that the sources' statuses make."""
        counted: Counter[str] = Counter()
        for edge in self.plan.incoming(path):
            state = settled(edge, self.rows.get(edge.source), self.plan.node(edge.source))
            if state is None:
                counted["unsettled"] += 1
            elif state == "blocked":
                counted["blocked"] += 1
            elif state == "live":
                counted["control" if edge.kind is EdgeKind.CONTROL else "dependency"] += 1
        return counted


def _essence(execution: ExecutionState) -> tuple[Any, ...]:
    """What nobody may decide on once it is old, so that its change has to move `event_seq`."""
    return execution.open_nodes, execution.active_nodes, execution.context, execution.mutexes


def _counters(row: NodeState) -> Counter[str]:
    return +Counter(
        unsettled=row.unsettled, control=row.live_control, dependency=row.live_dependency, blocked=row.blocked
    )
