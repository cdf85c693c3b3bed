"""An execution and its nodes as values, as one decision reads and writes them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any

from aispine.flow.status import ExecutionStatus, NodeStatus


@dataclass(frozen=True, kw_only=True, slots=True)
class ExecutionState:
    """One execution; `event_seq` is the number of its last event and so the version of all that is here."""

    execution_id: str
    tenant_id: str
    flow_id: str
    flow_version_id: int
    status: ExecutionStatus
    input: Any
    context: Mapping[str, Any]
    agents: Mapping[str, Mapping[str, Any]]
    """By node reference `agent_id@range`: the version chosen at the start and its pool."""
    event_seq: int = 0
    open_nodes: int = 0
    active_nodes: int = 0
    """Those of the open nodes that have, or will soon have, a worker: queued, running or retrying."""
    reopened: int = 0
    """How often it was retried after its end."""
    mutexes: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    """By name, the path that holds it and then those that wait for it, in order."""
    output: Any = None
    error: Mapping[str, Any] | None = None
    started_at: datetime | None = None
    finished_at: datetime | None = None
    deadline_at: datetime | None = None
    paused_at: datetime | None = None
    parent_execution_id: str | None = None
    parent_path: str | None = None


@dataclass(frozen=True, kw_only=True, slots=True)
class NodeState:
    """One node inside an execution, or one frame; a row comes to be with its first change."""

    path: str
    node_id: str
    status: NodeStatus = NodeStatus.PENDING
    queue: str | None = None
    attempt: int = 0
    lost_attempts: int = 0
    unsettled: int = 0
    live_control: int = 0
    live_dependency: int = 0
    blocked: int = 0
    input: Any = None
    output: Any = None
    message: str | None = None
    metadata: Mapping[str, Any] | None = None
    error: Mapping[str, Any] | None = None
    state: Mapping[str, Any] | None = None
    """What the node's type has to remember: the choice of a decision, the counts of a map, what a wait waits for."""
    lease_owner: str | None = None
    due_at: datetime | None = None
    queued_at: datetime | None = None
    started_at: datetime | None = None
    finished_at: datetime | None = None

    def remembered(self, name: str, default: Any = None) -> Any:
        return (self.state or {}).get(name, default)


@dataclass(frozen=True, kw_only=True, slots=True)
class Signal:
    """Outside input that came before anybody waited for it."""

    signal_id: str
    name: str
    payload: Any


@dataclass(frozen=True, kw_only=True, slots=True)
class Reading:
    """What one read of the store brought.

    `nodes` maps each path asked for to its row, None where there is none; `signals` are those not yet consumed, None
    when they were not asked for.
    """

    execution: ExecutionState
    nodes: Mapping[str, NodeState | None]
    now: datetime
    all_open: bool = False
    everything: bool = False
    signals: tuple[Signal, ...] | None = None


@dataclass(frozen=True, kw_only=True, slots=True)
class Event:
    """A fact in an execution's log."""

    type: str
    path: str | None = None
    data: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, kw_only=True, slots=True)
class Transition:
    """What one decision changes: the execution after it, the nodes that differ, the events in order."""

    execution: ExecutionState
    nodes: Mapping[str, NodeState]
    events: tuple[Event, ...]
    queued: tuple[str, ...] = ()
    """Paths that became `queued` and need a message, in the order of the flow."""
    claimed: tuple[str, ...] = ()
    """The paths that the deciding process took for itself."""
    kept: tuple[Signal, ...] = ()
    """Signals that nobody waited for."""
    consumed: tuple[str, ...] = ()
    """Ids of kept signals that a node has taken."""
    orphans: tuple[str, ...] = ()
    """Child executions that are to be cancelled, since what waited for them has ended."""
    forgotten: tuple[str, ...] = ()
    """Containers below which every row is deleted before the rest is written."""
    known: Mapping[str, NodeState] = field(default_factory=dict)
    """Every row that the decision saw, as it is afterwards: good for as long as `event_seq` stays."""

    @property
    def empty(self) -> bool:
        return not self.events and not self.nodes and not self.kept


def joined(transitions: Sequence[Transition]) -> Transition:
    """Several decisions in a row as one; none but the last may have asked for anything to be sent."""
    last = transitions[-1]
    if len(transitions) == 1:
        return last
    nodes = {path: node for transition in transitions for path, node in transition.nodes.items()}
    return replace(last, nodes=nodes, events=tuple(event for each in transitions for event in each.events))
