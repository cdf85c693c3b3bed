"""A rehearsal: one execution in memory, with answers in place of agents and people, in a time that is not real.

The decisions are the engine's own; only the store, the workers and the clock are played here.
"""

from __future__ import annotations

import heapq
import itertools
from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from random import Random
from typing import Any, Final

from aispine.agent.contract import AgentFailure, AgentReply, FailureCode, Outcome
from aispine.engine.decide import decide
from aispine.engine.facts import (
    ApprovalAnswered,
    CancelRequested,
    ChildEnded,
    ChildStarted,
    DeadlinePassed,
    Fact,
    Finished,
    RetryDue,
    SignalReceived,
    Started,
    TimeCome,
)
from aispine.engine.ledger import MissingNodesError
from aispine.engine.queueing import agent_reference
from aispine.engine.terms import Terms
from aispine.errors import AISpineError, InvalidInput
from aispine.flow import paths
from aispine.flow.inputs import check_input, check_value
from aispine.flow.model import Flow, Node
from aispine.flow.plan import CONTAINERS, plan
from aispine.flow.rehearsal import Case, Mock, Sent
from aispine.flow.state import Event, ExecutionState, NodeState, Reading, Signal, Transition
from aispine.flow.status import ExecutionStatus, NodeStatus

MAX_EVENTS: Final = 500_000
ECHO: Final = "echo"
"""The built-in agent that needs no mock: what it does is all in its `config`."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Rehearsed:
    """What became of an execution: its rows by path, its events in order, the seconds that it would have taken."""

    execution: ExecutionState
    nodes: dict[str, NodeState]
    events: tuple[Event, ...]
    seconds: float

    def node(self, path: str) -> NodeState:
        """A node as people would be shown it: what has not begun when the execution ends is skipped."""
        node = self.nodes.get(path) or NodeState(path=path, node_id=paths.name_of(path))
        never = self.execution.status.terminal and node.status is NodeStatus.PENDING
        return replace(node, status=NodeStatus.SKIPPED) if never else node


class RehearsalError(Exception):
    """The case cannot be rehearsed: an answer is missing or does not fit."""


def rehearse(flow: Flow, case: Case) -> Rehearsed:
    """Runs a valid flow until nothing more can happen. Raises `RehearsalError`."""
    try:
        check_input(flow, case.input)
    except InvalidInput as error:
        raise RehearsalError(f"the input is refused: {error.message}") from error
    return _Stage(flow, case).run()


class _Stage:
    """One execution and what is due in it, in the order of its time."""

    def __init__(self, flow: Flow, case: Case) -> None:
        self._plan = plan(flow)
        self._case = case
        self._now = case.now
        self._rows: dict[str, NodeState] = {}
        self._events: list[Event] = []
        self._signals: dict[str, Signal] = {}
        self._due: list[tuple[datetime, int, Callable[[], None]]] = []
        self._numbers = itertools.count()
        self._terms = Terms(owner="rehearsal", rng=Random(0))  # noqa: S311 # For jitter alone.
        self._execution = ExecutionState(
            execution_id="rehearsal",
            tenant_id="rehearsal",
            flow_id=flow.flow_id,
            flow_version_id=0,
            status=ExecutionStatus.QUEUED,
            input=case.input,
            context=flow.context,
            agents={agent_reference(node): _AGENT for node in self._nodes()},
        )

    def run(self) -> Rehearsed:
        self._at(0.0, lambda: self._advance(Started()))
        for sent in self._case.signals:
            self._at(sent.at, self._sending(sent))
        if self._case.cancel_at is not None:
            self._at(self._case.cancel_at, lambda: self._advance(CancelRequested(reason="as the test says")))
        while self._due and not self._execution.status.terminal:
            self._now, _, act = heapq.heappop(self._due)
            act()
        return self._rehearsed()

    def _rehearsed(self) -> Rehearsed:
        seconds = ((self._execution.finished_at or self._now) - self._case.now).total_seconds()
        return Rehearsed(execution=self._execution, nodes=self._rows, events=tuple(self._events), seconds=seconds)

    def _nodes(self) -> Iterable[Node]:
        graphs = (self._plan.graph, *self._plan.bodies.values())
        return (node for graph in graphs for node in graph.nodes.values() if node.makes_call)

    def _at(self, seconds: float, act: Callable[[], None]) -> None:
        self._when(self._now + timedelta(seconds=seconds), act)

    def _when(self, moment: datetime, act: Callable[[], None]) -> None:
        heapq.heappush(self._due, (max(moment, self._now), next(self._numbers), act))

    # The store

    def _advance(self, *facts: Fact, take: str | None = None) -> None:
        """Decides with the rows that the decision asks for, as the engine does, and keeps what it changes."""
        wanted: set[str] = set()
        more = {"all_open": False, "everything": False, "signals": False}
        while True:
            try:
                transition = decide(self._plan, self._read(wanted, **more), facts, self._terms, take_path=take)
            except MissingNodesError as missing:
                wanted |= missing.paths
                more = {name: given or getattr(missing, name) for name, given in more.items()}
            else:
                self._keep(transition)
                return

    def _read(self, wanted: set[str], *, all_open: bool, everything: bool, signals: bool) -> Reading:
        nodes: dict[str, NodeState | None] = {path: self._rows.get(path) for path in wanted}
        if everything:
            nodes |= self._rows
        elif all_open:
            nodes |= {path: row for path, row in self._rows.items() if row.status.open}
        return Reading(
            execution=self._execution,
            nodes=nodes,
            now=self._now,
            all_open=all_open,
            everything=everything,
            signals=tuple(self._signals.values()) if signals else None,
        )

    def _keep(self, transition: Transition) -> None:
        deadline = self._execution.deadline_at
        self._execution = transition.execution
        self._events.extend(transition.events)
        if len(self._events) > MAX_EVENTS:
            raise RehearsalError(f"it goes on for more than {MAX_EVENTS:,} events")
        self._signals |= {signal.signal_id: signal for signal in transition.kept}
        for consumed in transition.consumed:
            del self._signals[consumed]
        for path, node in transition.nodes.items():
            before = self._rows.get(path)
            self._rows[path] = node
            self._look_at(path, before)
        for path in transition.queued:
            self._at(0.0, self._claiming(path))
        if self._execution.deadline_at not in {None, deadline}:
            self._when(self._execution.deadline_at or self._now, lambda: self._advance(DeadlinePassed()))
        for path in transition.claimed:
            self._work(self._rows[path])

    def _look_at(self, path: str, before: NodeState | None) -> None:
        """Sees to what a changed row waits for: a time, or a person."""
        node = self._rows[path]
        if node.due_at is not None and (before is None or before.due_at != node.due_at):
            self._wake(node, node.due_at)
        begins = before is None or before.status is not NodeStatus.WAITING
        if node.status is NodeStatus.WAITING and begins and node.remembered("for") == "approval":
            self._answer(node)

    def _wake(self, node: NodeState, moment: datetime) -> None:
        path = node.path
        if node.status is NodeStatus.RETRYING:
            fact: Fact = RetryDue(path=path, attempt=node.attempt)
        elif node.status is NodeStatus.WAITING or self._plan.node(path).type in CONTAINERS:
            fact = TimeCome(path=path)
        else:
            return
        self._when(moment, lambda: self._advance(fact))

    # People

    def _sending(self, sent: Sent) -> Callable[[], None]:
        signal = Signal(signal_id=str(next(self._numbers)), name=sent.name, payload=sent.payload)
        return lambda: self._advance(SignalReceived(signal=signal))

    def _answer(self, node: NodeState) -> None:
        values = self._of(self._case.answers, node)
        if values is None:
            return
        approval = self._plan.node(node.path).approval
        if approval is not None and approval.form is not None:
            try:
                check_value(approval.form, dict(values), "answer")
            except AISpineError as error:
                raise RehearsalError(f"the answer to `{node.path}` is refused: {error.message}") from error
        self._at(0.0, lambda: self._advance(ApprovalAnswered(path=node.path, values=values, by="test")))

    def _of(self, named: Any, node: NodeState) -> Any:
        """What the case says about a node: of its path, else of its id."""
        return named.get(node.path, named.get(node.node_id))

    # Workers

    def _claiming(self, path: str) -> Callable[[], None]:
        def claim() -> None:
            if self._rows[path].status is NodeStatus.QUEUED:
                self._advance(take=path)

        return claim

    def _work(self, node: NodeState) -> None:
        """Lets an attempt come to what the case says, after the time that it says."""
        spec = self._plan.node(node.path)
        mock = self._mock(node, spec)
        if spec.subflow is not None:
            self._work_as_child(node, mock)
            return
        outcome, takes = _outcome(mock), mock.takes
        if spec.timeout is not None and takes > spec.timeout:
            message = f"no answer within {spec.timeout:g} s"
            outcome, takes = AgentFailure(code=FailureCode.TIMEOUT, message=message), spec.timeout
        fact = Finished(path=node.path, attempt=node.attempt, outcome=outcome)
        self._at(takes, lambda: self._advance(fact))

    def _work_as_child(self, node: NodeState, mock: Mock) -> None:
        child = f"child of {node.path}, attempt {node.attempt}"
        status = ExecutionStatus.COMPLETED if mock.code is None else ExecutionStatus.FAILED
        error = None if mock.code is None else {"code": mock.code, "message": mock.message}
        ended = ChildEnded(path=node.path, child=child, status=status, output=mock.output, error=error)
        self._at(0.0, lambda: self._advance(ChildStarted(path=node.path, attempt=node.attempt, child=child)))
        self._at(mock.takes, lambda: self._advance(ended))

    def _mock(self, node: NodeState, spec: Node) -> Mock:
        mocks: tuple[Mock, ...] | None = self._of(self._case.mocks, node)
        if mocks is not None:
            return mocks[min(node.attempt, len(mocks)) - 1]
        if spec.agent_id == ECHO:
            return _echo(node, spec)
        raise RehearsalError(f"`{node.path}` {_does(spec)}, and the case has no answer for it under `mocks`")


def _does(spec: Node) -> str:
    if spec.subflow is not None:
        return f"runs the flow `{spec.subflow.flow_id}`"
    return f"calls the tool `{spec.tool_id}`" if spec.tool_id else f"calls the agent `{spec.agent_id}`"


_AGENT: Final = {"version": "0.0.0", "pool": "io"}
"""The pool of every agent: a worker is always free here."""


def _outcome(mock: Mock) -> Outcome:
    if mock.code is not None:
        return AgentFailure(code=mock.code, message=mock.message)
    return AgentReply(output=mock.output)


def _echo(node: NodeState, spec: Node) -> Mock:
    takes, failing = spec.config.get("sleep_seconds", 0), spec.config.get("fail_first", 0)
    if not (isinstance(takes, int | float) and isinstance(failing, int | float)):
        message = "`sleep_seconds` and `fail_first` must be numbers"
        return Mock(code=str(FailureCode.AGENT_ERROR), message=message)
    if node.attempt <= failing:
        return Mock(code=str(FailureCode.UNAVAILABLE), message=f"attempt {node.attempt} fails as asked", takes=takes)
    return Mock(output=spec.config.get("output", node.input), takes=takes)
