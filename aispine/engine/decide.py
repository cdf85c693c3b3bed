"""The rules of an execution: given what happened, what follows. Pure: rows in, changes out."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from datetime import timedelta

from aispine.agent.contract import AgentFailure, FailureCode
from aispine.engine import activation, ending
from aispine.engine.facts import CancelRequested, DeadlinePassed, Fact, Finished, Lost, RetryDue, Started
from aispine.engine.ledger import Ledger
from aispine.engine.terms import Terms
from aispine.flow import retry
from aispine.flow.model import RetryPolicy
from aispine.flow.plan import Plan
from aispine.flow.state import NodeState, Reading, Transition
from aispine.flow.status import ExecutionStatus, NodeStatus


def decide(
    plan: Plan, reading: Reading, facts: Iterable[Fact], terms: Terms, *, take_from: str | None = None
) -> Transition:
    """Applies facts in order and everything that follows from them.

    With `take_from`, the first node that became ready on that queue is claimed at once for `terms.owner`.
    Facts that no longer apply (doubled, late, after the end) change nothing.
    Raises `MissingNodesError` when rows are needed that `reading` does not hold.
    """
    ledger = Ledger(plan, reading)
    for fact in facts:
        if not ledger.execution.status.terminal:
            _apply(ledger, fact, terms)
            drain(ledger, terms)
    if take_from is not None:
        _take_first(ledger, take_from, terms)
    return ledger.transition()


def drain(ledger: Ledger, terms: Terms) -> None:
    """Resolves nodes until nothing more follows, then ends the execution if nothing is left to do."""
    while ledger.pending:
        activation.resolve(ledger, ledger.pending.popleft(), terms)
    ending.end_when_idle(ledger)


def claim(ledger: Ledger, path: str, terms: Terms) -> None:
    """Takes a queued node for `terms.owner`."""
    node = ledger.node(path)
    node = ledger.change(
        path,
        status=NodeStatus.RUNNING,
        attempt=node.attempt + 1,
        lease_owner=terms.owner,
        due_at=ledger.now + timedelta(seconds=terms.lease),
        started_at=node.started_at or ledger.now,
    )
    ledger.record("node.started", path, attempt=node.attempt, worker=terms.owner)
    ledger.take(path)


def _apply(ledger: Ledger, fact: Fact, terms: Terms) -> None:
    match fact:
        case Started():
            _start(ledger, terms)
        case Finished():
            _finish(ledger, fact, terms)
        case Lost():
            _lose(ledger, fact, terms)
        case RetryDue():
            _requeue_due(ledger, fact, terms)
        case DeadlinePassed():
            _time_out(ledger)
        case CancelRequested():
            _cancel(ledger, fact)


def _start(ledger: Ledger, terms: Terms) -> None:
    if ledger.execution.status is not ExecutionStatus.QUEUED:
        return
    timeout = ledger.plan.flow.timeout
    deadline = ledger.now + timedelta(seconds=timeout) if timeout is not None else None
    ledger.set_status(ExecutionStatus.RUNNING, started_at=ledger.now, deadline_at=deadline)
    ledger.record("execution.started")
    for root in ledger.plan.graph.roots:
        # An unhandled failure of one root ends the execution before the others start.
        if not ledger.execution.status.terminal:
            activation.activate(ledger, root, terms)


def _finish(ledger: Ledger, fact: Finished, terms: Terms) -> None:
    node = ledger.node(fact.path)
    if node.status is not NodeStatus.RUNNING or node.attempt != fact.attempt:
        if node.attempt != fact.attempt or node.status in {NodeStatus.QUEUED, NodeStatus.CANCELLED}:
            ledger.record("node.late_result", fact.path, attempt=fact.attempt)
        return
    outcome = fact.outcome
    if isinstance(outcome, AgentFailure):
        _fail_attempt(ledger, node, outcome, terms)
    else:
        ending.complete(ledger, fact.path, outcome.output, message=outcome.message, metadata=outcome.metadata)


def _fail_attempt(ledger: Ledger, node: NodeState, failure: AgentFailure, terms: Terms) -> None:
    delay = _retry_delay(ledger, node, failure, terms)
    error = ending.describe(node, str(failure.code), failure.message, failure.detail)
    if delay is None:
        ending.fail(ledger, node.path, error)
        return
    due_at = ledger.now + timedelta(seconds=delay)
    ledger.change(node.path, status=NodeStatus.RETRYING, error=error, due_at=due_at, lease_owner=None)
    ledger.record("node.retrying", node.path, attempt=node.attempt, error=error, delay=round(delay, 3))


def _retry_delay(ledger: Ledger, node: NodeState, failure: AgentFailure, terms: Terms) -> float | None:
    policy = ledger.spec(node.path).retry or RetryPolicy()
    if not retry.retryable(policy, failure.code):
        return None
    elapsed = (ledger.now - (node.started_at or ledger.now)).total_seconds()
    delay = retry.delay(policy, node.attempt - node.lost_attempts, terms.rng, elapsed=elapsed)
    return None if delay is None else max(delay, failure.retry_after or 0.0)


def _lose(ledger: Ledger, fact: Lost, terms: Terms) -> None:
    node = ledger.node(fact.path)
    if node.status is not NodeStatus.RUNNING or node.attempt != fact.attempt or not _due(ledger, node):
        return
    lost = node.lost_attempts + 1
    ledger.record("node.lost", fact.path, attempt=node.attempt, worker=node.lease_owner)
    if lost >= terms.max_lost_attempts:
        message = f"{lost} workers died while they ran this node"
        ledger.change(fact.path, lost_attempts=lost)
        ending.fail(ledger, fact.path, ending.describe(node, str(FailureCode.LOST), message))
    else:
        _requeue(ledger, node, terms, lost_attempts=lost)


def _requeue_due(ledger: Ledger, fact: RetryDue, terms: Terms) -> None:
    node = ledger.node(fact.path)
    if node.status is NodeStatus.RETRYING and node.attempt == fact.attempt and _due(ledger, node):
        _requeue(ledger, node, terms)


def _requeue(ledger: Ledger, node: NodeState, terms: Terms, **fields: int) -> None:
    ledger.change(
        node.path,
        status=NodeStatus.QUEUED,
        lease_owner=None,
        queued_at=ledger.now,
        due_at=ledger.now + timedelta(seconds=terms.lost_after),
        **fields,
    )
    ledger.queue(node.path)


def _due(ledger: Ledger, node: NodeState) -> bool:
    return node.due_at is not None and node.due_at <= ledger.now


def _time_out(ledger: Ledger) -> None:
    deadline = ledger.execution.deadline_at
    if deadline is not None and deadline <= ledger.now:
        timeout = ledger.plan.flow.timeout
        error = {"code": str(FailureCode.TIMEOUT), "message": f"the execution took longer than {timeout:g} s"}
        ledger.execution = replace(ledger.execution, error=error)
        ending.end_execution(ledger, ExecutionStatus.TIMED_OUT)


def _cancel(ledger: Ledger, fact: CancelRequested) -> None:
    if fact.reason:
        error = {"code": str(FailureCode.CANCELLED), "message": fact.reason}
        ledger.execution = replace(ledger.execution, error=error)
    ending.end_execution(ledger, ExecutionStatus.CANCELLED)


def _take_first(ledger: Ledger, queue: str, terms: Terms) -> None:
    for path in ledger.queued:
        if ledger.node(path).queue == queue:
            claim(ledger, path, terms)
            return
