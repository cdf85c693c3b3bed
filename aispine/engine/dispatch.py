"""What is due after a transition is committed: messages, wake-ups, and word to parents and children."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Protocol

from celery import Celery
from kombu.exceptions import OperationalError

from aispine import logs
from aispine.engine import agent_calls, canvas, limits, plans
from aispine.engine.advance import advance
from aispine.engine.facts import CancelRequested
from aispine.engine.meter import Meter
from aispine.engine.pace import Pace
from aispine.engine.terms import Terms
from aispine.flow.state import ExecutionState, Transition
from aispine.guards.turns import Turns
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
            later = limits.hold_back(self.store, self.turns, plan, execution, transition.queued, self.tenant_id)
            ready = tuple(path for path in ready if path not in later) if later else ready
            canvas.send(self.celery, plan, execution, ready, self.pace.slow)
        for child in transition.orphans:
            self.cancel(child, "what waited for it has ended")
        if execution.status.terminal and execution.parent_execution_id is not None:
            self._tell_parent(execution)

    def _count(self, transition: Transition) -> None:
        self.meter.record(transition)
        if agent_calls.came_late(transition):
            plan = plans.find(self.store, transition.execution.flow_version_id, self.tenant_id)
            for version, outcome, seconds in agent_calls.late(plan, transition):
                self.meter.counted(version, outcome, seconds)

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
