"""What is due after a transition is committed: messages, wake-ups, and word to parents and children."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Protocol

from celery import Celery
from kombu.exceptions import OperationalError

from aispine import logs
from aispine.engine import agent_calls, canvas, limits, plans, slots
from aispine.engine.advance import advance
from aispine.engine.facts import CancelRequested
from aispine.engine.meter import Meter
from aispine.engine.pace import Pace
from aispine.engine.terms import Terms
from aispine.flow.plan import Plan
from aispine.flow.state import ExecutionState, NodeState, Transition
from aispine.guards.turns import Turns
from aispine.store.call_slots import Granted
from aispine.store.database import Store

_log = logs.get(__name__)


class Wakeups(Protocol):
    """Tells followers of an execution that there is something new."""

    def wake(self, execution_id: str, *, at_once: bool = False) -> None: ...


@dataclass(frozen=True, kw_only=True)
class Dispatch:
    """Sends what transitions call for; all of it is found again by the tick if it is lost."""

    store: Store
    celery: Celery
    wakeups: Wakeups
    pace: Pace = field(default_factory=Pace)
    meter: Meter = field(default_factory=Meter)
    turns: Turns = field(default_factory=Turns)
    tenant_id: str | None = None
    """For a login that sees one tenant only."""

    def follow(self, transition: Transition, *, queued: tuple[str, ...] | None = None) -> None:
        """Does what is due; `queued` are the paths to send when a canvas carries the others already."""
        execution = transition.execution
        self._count(transition)
        self.wakeups.wake(execution.execution_id, at_once=execution.status.terminal)
        ready = transition.queued if queued is None else queued
        if transition.queued:
            plan = plans.find(self.store, execution.flow_version_id, self.tenant_id)
            later = self._hold_back(plan, execution, transition.queued)
            ready = tuple(path for path in ready if path not in later) if later else ready
            canvas.send(self.celery, plan, execution, ready, self.pace.slow)
        for child in transition.orphans:
            self.cancel(child, "what waited for it has ended")
        if execution.status.terminal and execution.parent_execution_id is not None:
            self._tell_parent(execution)

    def _hold_back(self, plan: Plan, execution: ExecutionState, queued: Sequence[str]) -> frozenset[str]:
        """The queued nodes that have to wait: for a call slot, and who has one for the turn of the call."""
        lined_up = slots.line_up(self.store, plan, execution, queued, self.tenant_id)
        self.let_in(lined_up.others)
        free = [path for path in queued if path not in lined_up.waiting]
        return lined_up.waiting | limits.hold_back(self.store, self.turns, plan, execution, free, self.tenant_id)

    def let_in(self, granted: Sequence[Granted]) -> None:
        """Sends nodes that were given a call slot, unless the turn of one comes later."""
        if not granted:
            return
        try:
            for each in limits.whose_turn_it_is(self.store, self.turns, granted):
                canvas.send_node(self.celery, each.execution_id, each.flow_id, each.path, each.queue)
        except OperationalError as error:
            _log.warning("dispatch.not_let_in", nodes=len(granted), error=str(error))

    def _count(self, transition: Transition) -> None:
        self.meter.record(transition)
        ends, execution = agent_calls.late_ends(transition), transition.execution
        if not ends:
            return
        plan = plans.find(self.store, execution.flow_version_id, self.tenant_id)
        for version, outcome, seconds in agent_calls.late(plan, execution, ends):
            self.meter.counted(version, outcome, seconds)
        for _, node in ends:
            self._free_slot(plan, execution, node)

    def _free_slot(self, plan: Plan, execution: ExecutionState, node: NodeState) -> None:
        """What an agent held that had accepted is free when the attempt has ended."""
        spec = plan.node(node.path)
        if slots.max_concurrency(spec, execution) is not None:
            self.let_in(slots.leave(self.store, execution, spec, node, owner=None))

    def send_ahead(self, transition: Transition, paths: Sequence[str]) -> None:
        """Sends nodes whose process is gone; they do not stand in line a second time."""
        execution = transition.execution
        try:
            for path in paths:
                queue = str(transition.nodes[path].queue)
                canvas.send_node(self.celery, execution.execution_id, execution.flow_id, path, queue, ahead=True)
        except OperationalError as error:
            _log.warning("dispatch.not_sent", execution=execution.execution_id, error=str(error))

    def cancel(self, execution_id: str, reason: str) -> None:
        """Cancels an execution unless it has ended."""
        facts = [CancelRequested(reason=reason)]
        transition = advance(self.store, execution_id, facts, Terms(owner="cancel"), tenant_id=self.tenant_id)
        if transition is not None and not transition.empty:
            self.follow(transition)

    def _tell_parent(self, execution: ExecutionState) -> None:
        parent, path = str(execution.parent_execution_id), str(execution.parent_path)
        try:
            canvas.send_look(self.celery, parent, execution.flow_id, path)
        except OperationalError as error:
            _log.warning("dispatch.parent_not_told", execution=parent, path=path, error=str(error))
