"""Pausing: nothing new is claimed and no time runs; what runs may finish."""

from __future__ import annotations

from datetime import datetime, timedelta

from aispine.engine.facts import PauseRequested, ResumeRequested
from aispine.engine.ledger import Ledger, told_by
from aispine.engine.terms import Terms
from aispine.flow import paths
from aispine.flow.state import NodeState
from aispine.flow.status import ExecutionStatus, NodeStatus

_LEFT = "left"
"""Where a stopped timer keeps the seconds that are left of it."""


def pause(ledger: Ledger, fact: PauseRequested, _terms: Terms) -> None:
    """Stops the execution and its timers."""
    if ledger.execution.status is ExecutionStatus.PAUSED:
        return
    if ledger.execution.open_nodes:
        for node in list(ledger.open_inside("")):
            _stop_timer(ledger, node)
    ledger.set_status(ExecutionStatus.PAUSED, paused_at=ledger.now)
    ledger.record("execution.paused", **told_by(fact.by))


def hold(ledger: Ledger) -> None:
    """Stops the timers that have begun in a paused execution."""
    if ledger.execution.status is ExecutionStatus.PAUSED:
        for node in ledger.changed():
            if node.status.open:
                _stop_timer(ledger, node)


def resume(ledger: Ledger, fact: ResumeRequested, terms: Terms) -> None:
    """Lets the execution go on: its timers, its deadline and its queued nodes."""
    execution = ledger.execution
    if execution.status is not ExecutionStatus.PAUSED:
        return
    pause = ledger.now - (execution.paused_at or ledger.now)
    deadline = None if execution.deadline_at is None else execution.deadline_at + pause
    begun = execution.started_at is not None
    status = ExecutionStatus.RUNNING if begun else ExecutionStatus.QUEUED
    ledger.set_status(status, paused_at=None, deadline_at=deadline)
    ledger.record("execution.resumed", **told_by(fact.by))
    if not execution.open_nodes:
        return
    for node in list(ledger.open_inside("")):
        if node.status is NodeStatus.QUEUED:
            ledger.change(node.path, queued_at=ledger.now, due_at=ledger.now + timedelta(seconds=terms.lost_after))
            ledger.queue(node.path)
        elif node.remembered(_LEFT) is not None:
            ledger.change(node.path, due_at=ledger.now + timedelta(seconds=node.remembered(_LEFT)))
            ledger.remember(node.path, **{_LEFT: None}, **_later(ledger, node, pause))


def _later(ledger: Ledger, node: NodeState, pause: timedelta) -> dict[str, str]:
    """The deadline of a container or subflow, moved on by the part of the pause that it has seen."""
    text = node.remembered("deadline")
    if text is None:
        return {}
    seen = min(pause, ledger.now - (node.started_at or ledger.now))
    return {"deadline": (datetime.fromisoformat(text) + seen).isoformat()}


def _stop_timer(ledger: Ledger, node: NodeState) -> None:
    """A lease runs on, since its process does."""
    if paths.is_frame(node.path) or node.due_at is None or node.lease_owner is not None:
        return
    left = max((node.due_at - ledger.now).total_seconds(), 0.0)
    ledger.change(node.path, due_at=None)
    if node.status is not NodeStatus.QUEUED:
        ledger.remember(node.path, **{_LEFT: left})
