"""The rules of an execution: given what happened, what follows. Pure: rows in, changes out."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from datetime import timedelta
from itertools import islice
from typing import Any, Final

from aispine.agent.contract import FailureCode
from aispine.engine import activation, attempts, containers, ending, pausing, reopening, stalling, subflows, waits
from aispine.engine.facts import (
    Aborted,
    ApprovalAnswered,
    CalledBack,
    CancelRequested,
    ChildEnded,
    ChildStarted,
    DeadlinePassed,
    Fact,
    Finished,
    Lost,
    PauseRequested,
    Released,
    ResumeRequested,
    RetryDue,
    RetryRequested,
    SignalReceived,
    Stalled,
    Started,
    TimeCome,
    Told,
)
from aispine.engine.ledger import Ledger
from aispine.engine.queueing import is_limited
from aispine.engine.terms import Terms
from aispine.flow.model import NodeType
from aispine.flow.plan import CONTAINERS, Plan
from aispine.flow.state import Reading, Transition
from aispine.flow.status import ExecutionStatus, NodeStatus


def decide(
    plan: Plan,
    reading: Reading,
    facts: Iterable[Fact],
    terms: Terms,
    *,
    take_from: str | None = None,
    take_path: str | None = None,
    most: int = 1,
) -> Transition:
    """Applies facts in order and everything that follows from them.

    With `take_path`, that node is claimed at once for `terms.owner` if it is queued; otherwise, with `take_from`, the
    first nodes that became ready on that queue, `most` of them.
    Facts that no longer apply (doubled, late, after the end) change nothing.
    Raises `MissingNodesError` when rows are needed that `reading` does not hold.
    """
    told = tuple(facts)
    ledger = Ledger(plan, reading, facts=len(told))
    for fact in told:
        if not ledger.execution.status.terminal or isinstance(fact, RetryRequested):
            _RULES[type(fact)](ledger, fact, terms)
            drain(ledger, terms)
    if ledger.execution.status in {ExecutionStatus.RUNNING, ExecutionStatus.WAITING}:
        _take(ledger, take_path, take_from, most, terms)
    return ledger.transition()


def drain(ledger: Ledger, terms: Terms) -> None:
    """Resolves nodes and closes frames until nothing more follows, then ends the execution if nothing is left."""
    _settle_down(ledger, terms)
    ending.end_when_idle(ledger)
    # Nothing was left to do, and then the flow's own handler of failures was.
    if ledger.pending:
        drain(ledger, terms)
        return
    _show_waiting(ledger)
    pausing.hold(ledger)


def _settle_down(ledger: Ledger, terms: Terms) -> None:
    while ledger.pending or ledger.closing:
        if ledger.pending:
            activation.resolve(ledger, ledger.pending.popleft(), terms)
        else:
            containers.close(ledger, ledger.closing.popleft())


def _show_waiting(ledger: Ledger) -> None:
    """An execution in which nothing can go on without somebody or some time is waiting."""
    execution = ledger.execution
    if execution.status is ExecutionStatus.RUNNING and execution.open_nodes and not execution.active_nodes:
        ledger.set_status(ExecutionStatus.WAITING)
    elif execution.status is ExecutionStatus.WAITING and execution.active_nodes:
        ledger.set_status(ExecutionStatus.RUNNING)


def _start(ledger: Ledger, _fact: Started, _terms: Terms) -> None:
    if ledger.execution.status is not ExecutionStatus.QUEUED:
        return
    timeout = ledger.plan.flow.timeout
    deadline = ledger.now + timedelta(seconds=timeout) if timeout is not None else None
    ledger.set_status(ExecutionStatus.RUNNING, started_at=ledger.now, deadline_at=deadline)
    ledger.record("execution.started")
    if ledger.execution.reopened:
        reopening.go_on(ledger)
    else:
        ledger.pending.extend(root for root in ledger.plan.graph.roots if root != ledger.plan.flow.on_error)


def _time_come(ledger: Ledger, fact: TimeCome, terms: Terms) -> None:
    node = ledger.node(fact.path)
    if node.due_at is None or node.due_at > ledger.now or ledger.execution.status is ExecutionStatus.PAUSED:
        return
    kind = ledger.spec(fact.path).type
    if kind in CONTAINERS and node.status is NodeStatus.RUNNING:
        containers.due(ledger, fact.path)
    elif kind is NodeType.SUBFLOW and node.status is NodeStatus.WAITING:
        subflows.due(ledger, fact.path)
    elif waits.awaits_callback(node):
        attempts.overdue(ledger, fact.path, terms)
    elif node.status is NodeStatus.WAITING:
        waits.due(ledger, fact.path)


def _time_out(ledger: Ledger, _fact: DeadlinePassed, _terms: Terms) -> None:
    deadline = ledger.execution.deadline_at
    if deadline is not None and deadline <= ledger.now and ledger.execution.status is not ExecutionStatus.PAUSED:
        message = f"the execution took longer than {ledger.plan.flow.timeout:g} s"
        ledger.note_error({"code": str(FailureCode.TIMEOUT), "message": message})
        ending.end_execution(ledger, ExecutionStatus.TIMED_OUT)


def _abort(ledger: Ledger, fact: Aborted, _terms: Terms) -> None:
    ledger.note_error({"code": fact.code, "message": fact.message})
    ending.end_execution(ledger, ExecutionStatus.FAILED)


def _cancel(ledger: Ledger, fact: CancelRequested, _terms: Terms) -> None:
    if fact.reason:
        ledger.note_error({"code": str(FailureCode.CANCELLED), "message": fact.reason})
    ending.end_execution(ledger, ExecutionStatus.CANCELLED, fact.by)


def _signal(ledger: Ledger, fact: SignalReceived, _terms: Terms) -> None:
    waits.receive(ledger, fact.signal, fact.by)


def _answer(ledger: Ledger, fact: ApprovalAnswered, _terms: Terms) -> None:
    waits.answer(ledger, fact.path, fact.values, fact.by)


def _take(ledger: Ledger, path: str | None, queue: str | None, most: int, terms: Terms) -> None:
    if path is not None and ledger.node(path).status is NodeStatus.QUEUED:
        attempts.claim(ledger, path, terms)
        return
    # A node that may have to wait for its turn gets a message, which is sent when that comes.
    agents = ledger.execution.agents
    ours = (path for path in ledger.queued if ledger.node(path).queue == queue)
    for ready in islice((path for path in ours if not is_limited(ledger.spec(path), agents)), most):
        attempts.claim(ledger, ready, terms)


_RULES: Final[dict[type[Any], Callable[[Ledger, Any, Terms], None]]] = {
    Started: _start,
    Stalled: stalling.set_going,
    Finished: attempts.finish,
    Told: attempts.tell,
    CalledBack: attempts.call_back,
    Lost: attempts.lose,
    Released: attempts.release,
    RetryDue: attempts.try_again,
    TimeCome: _time_come,
    DeadlinePassed: _time_out,
    SignalReceived: _signal,
    ApprovalAnswered: _answer,
    ChildStarted: subflows.child_started,
    ChildEnded: subflows.child_ended,
    Aborted: _abort,
    CancelRequested: _cancel,
    PauseRequested: pausing.pause,
    ResumeRequested: pausing.resume,
    RetryRequested: reopening.retry,
}
