"""The working copy of one decision: what was read, what changes, what has still to be read."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import replace
from datetime import timedelta
from typing import Any, Final

from aispine.flow import paths
from aispine.flow.model import Node
from aispine.flow.plan import CONTAINERS, Plan
from aispine.flow.state import Event, NodeState, Reading, Signal, Transition
from aispine.flow.status import ACTIVE_NODES, EXECUTION_TRANSITIONS, NODE_TRANSITIONS, ExecutionStatus, NodeStatus

BEFORE: Final = "before"
"""Where a node keeps the number of attempts that it had before its execution was retried."""
_REMEMBERED: Final = 200
"""Rows that a process carries on from one decision to the next at most."""


class MissingNodesError(Exception):
    """The decision needs rows that were not read; it is taken again with them."""

    def __init__(
        self,
        paths: Iterable[str] = (),
        *,
        all_open: bool = False,
        everything: bool = False,
        signals: bool = False,
    ) -> None:
        self.paths = frozenset(paths)
        self.all_open = all_open
        self.everything = everything
        self.signals = signals
        super().__init__(f"{sorted(self.paths)}, {all_open=}, {everything=}, {signals=}")


def told_by(who: str | None) -> dict[str, str]:
    """What an event says of the person who caused it; nothing where nobody did."""
    return {"by": who} if who else {}


class Ledger:
    """Collects the changes of one decision over a `Reading`, which stays as it is."""

    def __init__(self, plan: Plan, reading: Reading, *, facts: int = 1) -> None:
        self.plan = plan
        self.facts = facts
        """How many things have happened at once."""
        self.now = reading.now
        self.execution = reading.execution
        self.pending: deque[str] = deque()
        """Paths that may have become ready or skipped, to be resolved next."""
        self.closing: deque[str] = deque()
        """Frames in which nothing may be left to do, looked at when nothing is pending."""
        self.claimed: list[str] = []
        self._reading = reading
        self._changed: dict[str, NodeState] = {}
        self._begun: set[str] = set()
        self._events: list[Event] = []
        self._queued: dict[str, None] = {}
        self._kept: list[Signal] = []
        self._consumed: list[str] = []
        self._orphans: list[str] = []
        self._forgotten: list[str] = []

    # Reading

    def spec(self, path: str) -> Node:
        return self.plan.node(path)

    def node(self, path: str) -> NodeState:
        """The node or frame as it stands now. Raises `MissingNodesError` when its row was not read."""
        found = self._changed.get(path)
        if found is not None:
            return found
        if self._is_forgotten(path):
            return self._fresh(path)
        if path not in self._reading.nodes:
            if self._may_exist(path):
                raise MissingNodesError({path})
            return self._fresh(path)
        return self._reading.nodes[path] or self._fresh(path)

    def require(self, wanted: Iterable[str], *, soon: Iterable[str] = ()) -> None:
        """Asks for several rows at once, so that one more read brings them all.

        If there has to be one, it brings those as well that other facts will `soon` ask for.
        """
        missing = {path for path in wanted if not self._is_read(path) and self._may_exist(path)}
        if missing:
            raise MissingNodesError(missing | {*soon})

    def open_inside(self, outer: str) -> Iterator[NodeState]:
        """What is queued, running, retrying or waiting below a frame or container; everywhere when it is empty."""
        if not self._reading.all_open:
            raise MissingNodesError(all_open=True)
        for path in list(dict.fromkeys([*self._reading.nodes, *self._changed])):
            if (not outer or paths.is_inside(path, outer)) and self.node(path).status.open:
                yield self.node(path)

    def everything(self) -> dict[str, NodeState]:
        """Every row that the execution has."""
        if not self._reading.everything:
            raise MissingNodesError(everything=True)
        names = dict.fromkeys([*self._reading.nodes, *self._changed])
        there = (path for path in names if self._reading.nodes.get(path) or path in self._changed)
        return {path: self.node(path) for path in there if not self._is_forgotten(path)}

    def signals(self) -> list[Signal]:
        """Kept signals that no node has taken, oldest first."""
        if self._reading.signals is None:
            raise MissingNodesError(signals=True)
        return [signal for signal in self._reading.signals if signal.signal_id not in self._consumed]

    def changed(self) -> list[NodeState]:
        """The nodes that this decision has changed so far; not the frames."""
        return [node for path, node in self._changed.items() if not paths.is_frame(path)]

    # Changing

    def change(self, path: str, **fields: Any) -> NodeState:
        """Changes a node; a change of status keeps the counts of open nodes and the table of transitions."""
        before = self.node(path)
        after = replace(before, **fields)
        self._changed[path] = after
        if after.status is not before.status:
            if after.status not in NODE_TRANSITIONS[before.status]:
                raise AssertionError(f"{path}: {before.status} -> {after.status}")
            if not paths.is_frame(path):
                self._count(path, before.status, after.status)
                if after.status.terminal:
                    self._release(path)
        return after

    def remember(self, path: str, **values: Any) -> NodeState:
        """Adds to what a node's type remembers."""
        return self.change(path, state={**(self.node(path).state or {}), **values})

    def reset(self, path: str) -> None:
        """Puts a node back to where it was before anything reached it; its attempts go on counting."""
        before = self.node(path)
        fresh = self._fresh(path)
        state = {BEFORE: before.attempt} if before.attempt else None
        self._changed[path] = replace(fresh, attempt=before.attempt, state=state)
        self._count(path, before.status, NodeStatus.PENDING)

    def forget(self, container: str) -> None:
        """Drops everything below a container, which starts anew."""
        self._forgotten.append(container)
        for path in list(self._changed):
            if paths.is_inside(path, container):
                del self._changed[path]

    def reopen(self) -> None:
        """Lets an ended execution run again, with all of its time before it."""
        execution, timeout = self.execution, self.plan.flow.timeout
        self.set_status(
            ExecutionStatus.RUNNING,
            started_at=execution.started_at or self.now,
            deadline_at=None if timeout is None else self.now + timedelta(seconds=timeout),
            finished_at=None,
            paused_at=None,
            error=None,
            output=None,
            reopened=execution.reopened + 1,
            mutexes={},
        )

    def create_frame(self, path: str, **fields: Any) -> None:
        """Adds the row of a frame that has not begun."""
        self._changed[path] = NodeState(path=path, node_id=paths.name_of(path), **fields)

    def begin_frame(self, path: str) -> None:
        """Starts a frame: its first nodes are resolved next."""
        self._begun.add(path)
        self.change(path, status=NodeStatus.RUNNING, started_at=self.now, state={"open": 0})
        self.pending.extend(paths.within(path, root) for root in self.plan.graph_at(path).roots)
        self.closing.append(path)

    def set_status(self, status: ExecutionStatus, **fields: Any) -> None:
        before = self.execution.status
        if status not in EXECUTION_TRANSITIONS[before]:
            raise AssertionError(f"execution: {before} -> {status}")
        self.execution = replace(self.execution, status=status, **fields)

    def note_error(self, error: Mapping[str, Any]) -> None:
        """Notes why the execution will have failed; the first reason stays."""
        self.execution = replace(self.execution, error=self.execution.error or error)

    def record(self, kind: str, path: str | None = None, **data: Any) -> None:
        """Appends an event."""
        self._events.append(Event(type=kind, path=path, data=data))

    def queue(self, path: str) -> None:
        """Notes that the node needs a message."""
        self._queued[path] = None

    def take(self, path: str) -> None:
        """Notes that the deciding process runs this queued node itself."""
        self._queued.pop(path, None)
        self.claimed.append(path)

    def keep(self, signal: Signal) -> None:
        self._kept.append(signal)

    def consume(self, signal: Signal) -> None:
        self._consumed.append(signal.signal_id)

    def orphan(self, child: str) -> None:
        """Notes a child execution that nobody waits for any more."""
        self._orphans.append(child)

    # Mutexes

    def acquire(self, name: str, path: str) -> bool:
        """True when the node holds the mutex now; otherwise it stands in the line for it."""
        line = self.execution.mutexes.get(name, ())
        if path not in line:
            self._set_line(name, (*line, path))
        return self.holds(name, path)

    def holds(self, name: str, path: str) -> bool:
        line = self.execution.mutexes.get(name, ())
        return bool(line) and line[0] == path

    def _release(self, path: str) -> None:
        """Takes an ended node out of its line; who stands first then is looked at again."""
        name = self.spec(path).mutex
        line = self.execution.mutexes.get(name, ()) if name is not None else ()
        if name is None or path not in line:
            return
        rest = tuple(each for each in line if each != path)
        self._set_line(name, rest)
        if rest and line[0] == path:
            self.pending.append(rest[0])

    def _set_line(self, name: str, line: tuple[str, ...]) -> None:
        others = {other: found for other, found in self.execution.mutexes.items() if other != name}
        self.execution = replace(self.execution, mutexes={**others, name: line} if line else others)

    # The result

    @property
    def queued(self) -> tuple[str, ...]:
        return tuple(path for path in self._queued if self.node(path).status is NodeStatus.QUEUED)

    def transition(self) -> Transition:
        paused = self.execution.status is ExecutionStatus.PAUSED
        seq = self.execution.event_seq + len(self._events)
        return Transition(
            execution=replace(self.execution, event_seq=seq),
            nodes=self._changed,
            events=tuple(self._events),
            queued=() if paused else self.queued,
            claimed=tuple(self.claimed),
            kept=tuple(self._kept),
            consumed=tuple(self._consumed),
            orphans=tuple(self._orphans),
            forgotten=tuple(self._forgotten),
            known=self._known(),
        )

    def _known(self) -> dict[str, NodeState]:
        """What the next decision of this process can go on from; nothing where others decide in between."""
        if not self.claimed or self.execution.active_nodes > 1:
            return {}
        if len(self._reading.nodes) + len(self._changed) > _REMEMBERED:
            return {}
        return {**{path: node for path, node in self._reading.nodes.items() if node}, **self._changed}

    def _fresh(self, path: str) -> NodeState:
        return NodeState(path=path, node_id=self.spec(path).id, unsettled=len(self.plan.incoming(path)))

    def _is_read(self, path: str) -> bool:
        return path in self._changed or path in self._reading.nodes

    def _is_forgotten(self, path: str) -> bool:
        return bool(self._forgotten) and any(paths.is_inside(path, outer) for outer in self._forgotten)

    def _may_exist(self, path: str) -> bool:
        """False when the row cannot be there yet: nothing happened, or its frame or its only source is of just now."""
        if self._reading.everything or self._is_forgotten(path):
            return False
        if self._reading.execution.event_seq == 0 and not self._reading.execution.reopened:
            return False
        if paths.frame_of(path) in self._begun:
            return False
        if self._reading.execution.reopened or paths.is_frame(path):
            return True
        if self.spec(path).join is not None:
            # It may have had enough before its source ended.
            return True
        sources = self.plan.incoming(path)
        return len(sources) != 1 or sources[0].source not in self._changed or self._had_ended(sources[0].source)

    def _had_ended(self, path: str) -> bool:
        """True when the node ended before this decision; a join that had enough changes once more for a late branch."""
        before = self._reading.nodes.get(path)
        return before is not None and before.status.terminal

    def _count(self, path: str, before: NodeStatus, after: NodeStatus) -> None:
        opened = int(after.open) - int(before.open)
        active = 0
        if self.spec(path).type not in CONTAINERS:
            active = int(after in ACTIVE_NODES) - int(before in ACTIVE_NODES)
        execution = self.execution
        self.execution = replace(
            execution, open_nodes=execution.open_nodes + opened, active_nodes=execution.active_nodes + active
        )
        frame = paths.frame_of(path)
        if frame and opened:
            left = self.node(frame).remembered("open", 0) + opened
            self.remember(frame, open=left)
            if left == 0:
                self.closing.append(frame)
