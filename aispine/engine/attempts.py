"""Attempts: a queued node is claimed, its attempt ends with an outcome, is lost, or is made again."""

from __future__ import annotations

from datetime import timedelta
from typing import Any, Final

from aispine.agent.contract import AgentAccepted, AgentFailure, Ended, FailureCode
from aispine.engine import ending, waits
from aispine.engine.facts import CalledBack, Finished, Lost, Released, RetryDue, Told
from aispine.engine.ledger import BEFORE, Ledger
from aispine.engine.spending import added
from aispine.engine.terms import Terms
from aispine.flow import retry
from aispine.flow.model import RetryPolicy
from aispine.flow.state import NodeState
from aispine.flow.status import NodeStatus

CALLED_BACK: Final = "called_back"
"""Where a node keeps the number of the attempt whose callback has been used."""
OVERDUE: Final = "overdue"
"""Where a node keeps the number of the attempt whose callback did not come in time."""
NOT_CALLED: Final = "not_called"
"""In the detail of a failure: the attempt came to no call, since its agent is suspended or not ready. Of a node, how
many of its attempts came to none."""
_LOOK_AGAIN: Final = 5.0
"""Seconds after which a node looks again whether its agent is ready; longer each time."""
_LOOK_LATEST: Final = 30.0
_HANDED_BACK: Final = "handed_back"
"""How many of the lost attempts are no fault of the node."""


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


def finish(ledger: Ledger, fact: Finished, terms: Terms) -> None:
    """Ends a node with the outcome of its attempt, or lets it be tried again; an attempt that is over is refused."""
    node = ledger.node(fact.path)
    if node.status is not NodeStatus.RUNNING or node.attempt != fact.attempt:
        if node.attempt != fact.attempt or node.status in {NodeStatus.QUEUED, NodeStatus.CANCELLED}:
            ledger.record("node.late_result", fact.path, attempt=fact.attempt)
        return
    if isinstance(fact.outcome, AgentAccepted):
        waits.await_callback(ledger, fact.path, fact.outcome.timeout or 0.0)
    else:
        end(ledger, node, fact.outcome, terms)


def tell(ledger: Ledger, fact: Told, _terms: Terms) -> None:
    """Records words of a model whose attempt still runs; those of one that is over are nobody's."""
    node = ledger.node(fact.path)
    if node.status is NodeStatus.RUNNING and node.attempt == fact.attempt:
        words = {"attempt": fact.attempt, "step": fact.step, "model": fact.model, "text": fact.text}
        ledger.record("node.tokens", fact.path, **words)


def call_back(ledger: Ledger, fact: CalledBack, terms: Terms) -> None:
    """Ends the attempt of an agent that had accepted; it may be quicker than the process that it told so."""
    node = ledger.node(fact.path)
    if node.attempt == fact.attempt and (node.status is NodeStatus.RUNNING or waits.awaits_callback(node)):
        node = ledger.remember(fact.path, **{CALLED_BACK: fact.attempt})
        end(ledger, node, fact.outcome, terms)


def overdue(ledger: Ledger, path: str, terms: Terms) -> None:
    """Ends the attempt of an agent that had accepted and has not called back in time."""
    message = "the agent accepted and did not call back in time"
    node = ledger.remember(path, **{OVERDUE: ledger.node(path).attempt})
    _fail_attempt(ledger, node, AgentFailure(code=FailureCode.TIMEOUT, message=message), terms)


def end(ledger: Ledger, node: NodeState, outcome: Ended, terms: Terms) -> None:
    """Ends an attempt, and with it the node unless it is tried again."""
    if isinstance(outcome, AgentFailure):
        _fail_attempt(ledger, node, outcome, terms)
    else:
        metadata = added(node.metadata, outcome.metadata)
        ending.complete(ledger, node.path, outcome.output, message=outcome.message, metadata=metadata)


def lose(ledger: Ledger, fact: Lost, terms: Terms) -> None:
    """Queues a node again whose process died, unless too many have."""
    node = ledger.node(fact.path)
    if node.status is not NodeStatus.RUNNING or node.attempt != fact.attempt:
        return
    if fact.handed_back:
        _take_back(ledger, node, terms)
    elif is_due(ledger, node):
        _lose(ledger, node, terms)


def _take_back(ledger: Ledger, node: NodeState, terms: Terms) -> None:
    ledger.record("node.lost", node.path, attempt=node.attempt, worker=node.lease_owner, handed_back=True)
    ledger.remember(node.path, **{_HANDED_BACK: node.remembered(_HANDED_BACK, 0) + 1})
    _requeue(ledger, node, terms.lease, lost_attempts=node.lost_attempts + 1)


def _lose(ledger: Ledger, node: NodeState, terms: Terms) -> None:
    lost = node.lost_attempts + 1
    ledger.record("node.lost", node.path, attempt=node.attempt, worker=node.lease_owner)
    died = lost - node.remembered(_HANDED_BACK, 0)
    if died >= terms.max_lost_attempts:
        message = f"{died} workers died while they ran this node"
        ledger.change(node.path, lost_attempts=lost)
        ending.give_up_child(ledger, node)
        ending.fail(ledger, node.path, ending.describe(node, str(FailureCode.LOST), message))
    else:
        # It goes before all others now: if nobody takes it soon, its message is lost too.
        _requeue(ledger, node, terms.lease, lost_attempts=lost)


def release(ledger: Ledger, fact: Released, terms: Terms) -> None:
    """Queues a node again that its process claimed and did not begin: no attempt was made."""
    node = ledger.node(fact.path)
    if node.status is not NodeStatus.RUNNING or node.attempt != fact.attempt or node.lease_owner != terms.owner:
        return
    ledger.record("node.released", fact.path, attempt=node.attempt, worker=node.lease_owner)
    first = node.attempt == 1
    _requeue(ledger, node, terms.lost_after, attempt=node.attempt - 1, started_at=None if first else node.started_at)


def try_again(ledger: Ledger, fact: RetryDue, terms: Terms) -> None:
    """Queues a node again whose delay before a retry is over."""
    node = ledger.node(fact.path)
    if node.status is NodeStatus.RETRYING and node.attempt == fact.attempt and is_due(ledger, node):
        _requeue(ledger, node, terms.lost_after)


def is_due(ledger: Ledger, node: NodeState) -> bool:
    return node.due_at is not None and node.due_at <= ledger.now


def _fail_attempt(ledger: Ledger, node: NodeState, failure: AgentFailure, terms: Terms) -> None:
    delay = _look_again(ledger, node, failure) or _retry_delay(ledger, node, failure, terms)
    error = ending.describe(node, str(failure.code), failure.message, failure.detail)
    if failure.metadata:
        ledger.change(node.path, metadata=added(node.metadata, failure.metadata))
    if delay is None:
        ending.fail(ledger, node.path, error)
        return
    due_at = ledger.now + timedelta(seconds=delay)
    ledger.change(node.path, status=NodeStatus.RETRYING, error=error, due_at=due_at, lease_owner=None)
    ledger.record("node.retrying", node.path, attempt=node.attempt, error=error, delay=round(delay, 3))


def _look_again(ledger: Ledger, node: NodeState, failure: AgentFailure) -> float | None:
    """When a node looks again whose flow lets it wait for its agent; the attempt does not count."""
    if NOT_CALLED not in (failure.detail or {}) or ledger.spec(node.path).on_unready != "wait":
        return None
    looks: int = node.remembered(NOT_CALLED, 0) + 1
    ledger.remember(node.path, **{NOT_CALLED: looks})
    return min(_LOOK_AGAIN * looks, _LOOK_LATEST)


def _retry_delay(ledger: Ledger, node: NodeState, failure: AgentFailure, terms: Terms) -> float | None:
    policy = ledger.spec(node.path).retry or RetryPolicy()
    if not retry.retryable(policy, failure.code):
        return None
    elapsed = (ledger.now - (node.started_at or ledger.now)).total_seconds()
    made = node.attempt - node.lost_attempts - node.remembered(BEFORE, 0) - node.remembered(NOT_CALLED, 0)
    delay = retry.delay(policy, made, terms.rng, elapsed=elapsed)
    return None if delay is None else max(delay, failure.retry_after or 0.0)


def _requeue(ledger: Ledger, node: NodeState, lost_after: float, **fields: Any) -> None:
    """Queues a node again whose message counts as lost after so many seconds."""
    ledger.change(
        node.path,
        status=NodeStatus.QUEUED,
        lease_owner=None,
        queued_at=ledger.now,
        due_at=ledger.now + timedelta(seconds=lost_after),
        **fields,
    )
    ledger.queue(node.path)
