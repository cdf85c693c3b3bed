"""An execution with all that surrounds it: messages that may be lost, doubled, late or out of order, and people."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from datetime import timedelta
from random import Random
from typing import Any

from aispine.agent.contract import AgentFailure, AgentReply, Outcome
from aispine.engine import attempts
from aispine.engine.decide import decide
from aispine.engine.facts import (
    CancelRequested,
    ChildEnded,
    ChildStarted,
    DeadlinePassed,
    Fact,
    Finished,
    Lost,
    Released,
    RetryDue,
    Started,
    TimeCome,
)
from aispine.engine.ledger import Ledger, MissingNodesError
from aispine.engine.terms import Terms
from aispine.flow.model import Flow
from aispine.flow.plan import CONTAINERS, plan
from aispine.flow.state import Event, ExecutionState, NodeState, Reading, Transition, joined
from aispine.flow.status import ExecutionStatus, NodeStatus
from aispine.store.transitions import Wanted
from tests.unit.engine.memory import Memory
from tests.unit.engine.people import People
from tests.unit.engine.reference import Script

START = ""
"""The path of the message that starts the execution."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Running:
    """A node that a worker runs, with the execution and the rows as they stood when the worker took it."""

    node: NodeState
    execution: ExecutionState
    known: Mapping[str, NodeState] = field(default_factory=dict)


@dataclass(frozen=True, kw_only=True, slots=True)
class Chaos:
    """How likely each mishap is, and how many of them happen at most."""

    lose: float = 0.0
    double: float = 0.0
    die: float = 0.0
    late: float = 0.0
    release: float = 0.0
    budget: int = 0


class World(Memory):
    """One execution and the workers, the tick, the children and the people that act on it."""

    def __init__(
        self,
        flow: Flow,
        data: Any,
        scripts: Mapping[str, Script],
        rng: Random,
        chaos: Chaos | None = None,
        people: People | None = None,
    ) -> None:
        agents = {"echo@*": {"version": "1.0.0", "pool": "quick"}}
        execution = ExecutionState(
            execution_id="e",
            tenant_id="t",
            flow_id=flow.flow_id,
            flow_version_id=1,
            status=ExecutionStatus.QUEUED,
            input=data,
            context=flow.context,
            agents=agents,
        )
        super().__init__(plan=plan(flow), execution=execution)
        self.messages: list[str] = [START]
        self.running: list[Running] = []
        self.late: list[Running] = []
        self.asked: dict[str, Any] = {}
        self.children: dict[str, ExecutionStatus] = {}
        self.scripts = scripts
        self.rng = rng
        self._chaos = chaos or Chaos()
        self._budget = self._chaos.budget
        self._people = people or People()
        self.terms = Terms(owner="worker", lease=10.0, lost_after=600.0, max_lost_attempts=10_000, rng=Random(0))

    @property
    def statuses(self) -> dict[str, str]:
        return {path: str(self.status(path)) for path in self.plan.graph.order}

    def status(self, path: str) -> NodeStatus:
        return self.rows[path].status if path in self.rows else NodeStatus.PENDING

    @property
    def quiet(self) -> bool:
        return not self.messages and not self.running and not self.late

    def run(self, steps: int = 20_000) -> None:
        """Lets the world go on until the execution has ended and nothing is under way any more."""
        for _ in range(steps):
            if self.execution.status.terminal and self.quiet:
                return
            self.step()
        raise AssertionError(f"still {self.execution.status}: {self.statuses}")

    def step(self) -> None:
        """One thing happens somewhere."""
        happenings = [self._deliver] * bool(self.messages) + [self._finish] * bool(self.running)
        happenings += [self._finish_together] * (len(self.running) > 1)
        happenings += [self._come_late] * bool(self.late)
        happenings += [self._give_back] * bool(self.running and self._mishap(self._chaos.release))
        if self._people.act(self, idle=not happenings):
            return
        if not happenings:
            self._pass_time()
        elif self.rng.random() < 0.1:
            self._tick()
        else:
            self.rng.choice(happenings)()

    def advance(
        self, facts: Iterable[Fact], path: str | None = None, *, take_from: str | None = None, most: int = 1
    ) -> Transition:
        """Decides under the execution's lock, reading what the decision asks for and no more, and writes."""
        facts, wanted = tuple(facts), Wanted(paths=frozenset() if path is None else frozenset({path}))
        while True:
            try:
                transition = decide(self.plan, self.read(wanted), facts, self.terms, take_from=take_from, most=most)
            except MissingNodesError as missing:
                more = wanted | Wanted(
                    paths=missing.paths,
                    all_open=missing.all_open,
                    everything=missing.everything,
                    signals=missing.signals,
                )
                assert more != wanted, "the decision asks for what it has"
                wanted = more
            else:
                self.write(transition)
                self._cancel_children(transition)
                return transition

    def tell(self, fact: Fact) -> Transition:
        """Advances and sends what became ready."""
        transition = self.advance([fact])
        self._hold(transition)
        return transition

    def cancel(self) -> None:
        self.advance([CancelRequested()])

    # Workers

    def _deliver(self) -> None:
        path = self.messages.pop(self.rng.randrange(len(self.messages)))
        if self._mishap(self._chaos.lose):
            return
        if self._mishap(self._chaos.double):
            self.messages.append(path)
        if path == START:
            self._hold(self.advance([Started()], take_from=self._slice()))
        else:
            self.claim(path)

    def claim(self, path: str) -> None:
        """A worker takes a queued node; nothing happens when it is not there to be taken."""
        row = self.rows.get(path)
        going_on = self.execution.status in {ExecutionStatus.RUNNING, ExecutionStatus.WAITING}
        if row is None or row.status is not NodeStatus.QUEUED or not going_on:
            return
        ledger = Ledger(self.plan, self.read(Wanted(everything=True)))
        attempts.claim(ledger, path, self.terms)
        self.write(ledger.transition())
        # The claim does not read back what an earlier attempt left.
        bare = replace(self.rows[path], output=None, message=None, metadata=None, error=None)
        self._take(Running(node=bare, execution=self.execution, known={path: bare}))

    def _finish(self) -> None:
        held = self.running.pop(self.rng.randrange(len(self.running)))
        if self._mishap(self._chaos.die):
            if self._mishap(self._chaos.late):
                self.late.append(held)
            return
        self._report(held)

    def _finish_together(self) -> None:
        """Threads of one worker whose nodes end at once tell it together, and go on with as many."""
        count = self.rng.randint(2, len(self.running))
        ends = [self.running.pop(self.rng.randrange(len(self.running))) for _ in range(count)]
        facts = [self._fact(held.node) for held in ends]
        self._hold(self.advance(facts, take_from=self._slice(), most=count))
        if self.execution.status.terminal:
            # One of them may have ended it before it was told of a child, which the tick cancels.
            begun = {fact.child for fact in facts if isinstance(fact, ChildStarted)}
            goes_on = {child for child in begun if not self.children[child].terminal}
            self.children.update(dict.fromkeys(goes_on, ExecutionStatus.CANCELLED))

    def _come_late(self) -> None:
        """A process that counted as dead tells its result after all."""
        self._report(self.late.pop(self.rng.randrange(len(self.late))))

    def _report(self, held: Running) -> None:
        path, fact = held.node.path, self._fact(held.node)
        if self._speculate(held, fact):
            return
        before = self.rows.get(path)
        self._hold(self.advance([fact], path, take_from=self._slice()))
        if before is not None and before.attempt != held.node.attempt:
            assert self.rows[path] == before, "a late result of a lost attempt was taken"

    def _speculate(self, held: Running, fact: Fact) -> bool:
        """Decides on what the worker knew when it took the node; counts only if nothing has happened since.

        The worker may run ahead: it goes on with what it decided and writes all of it at once.
        """
        decided = self._foresee(held, fact)
        if not decided or self.execution.event_seq != held.execution.event_seq:
            return False
        if len(decided) > 1 and self._mishap(self._chaos.die):
            return True
        whole = joined(decided)
        self.write(whole)
        self._cancel_children(whole)
        self._hold(whole)
        return True

    def _foresee(self, held: Running, fact: Fact) -> list[Transition]:
        decided: list[Transition] = []
        while (transition := self._guess(held, fact)) is not None:
            decided.append(transition)
            path = next(iter(transition.claimed), None)
            if path is None or transition.queued or transition.orphans or self.plan.node(path).subflow is not None:
                break
            if self.rng.random() < 0.5:
                break
            node = transition.nodes[path]
            self.asked.setdefault(path, node.input)
            held = Running(node=node, execution=transition.execution, known={**transition.known, path: node})
            fact = self._fact(node)
        return decided

    def _guess(self, held: Running, fact: Fact) -> Transition | None:
        if held.execution.active_nodes != 1:
            return None
        reading = Reading(execution=held.execution, nodes=held.known, now=self.now)
        try:
            transition = decide(self.plan, reading, [fact], self.terms, take_from=self._slice())
        except MissingNodesError:
            return None
        alone = not (transition.forgotten or transition.kept or transition.consumed)
        return transition if alone else None

    def _give_back(self) -> None:
        """A worker that had claimed several nodes has no time for this one."""
        node = self.running.pop(self.rng.randrange(len(self.running))).node
        before, over = self.rows.get(node.path), self.execution.status.terminal
        self.tell(Released(path=node.path, attempt=node.attempt))
        if before is not None and before.attempt == node.attempt and before.status is NodeStatus.RUNNING and not over:
            assert self.rows[node.path].attempt == node.attempt - 1

    def _fact(self, node: NodeState) -> Fact:
        if self.plan.node(node.path).subflow is not None:
            # Attempts that were lost share their child.
            child = f"{node.path}#{node.attempt - node.lost_attempts}"
            # The tick cancels the child of an execution that has ended meanwhile.
            over = self.execution.status.terminal
            self.children.setdefault(child, ExecutionStatus.CANCELLED if over else ExecutionStatus.RUNNING)
            return ChildStarted(path=node.path, attempt=node.attempt, child=child)
        return Finished(path=node.path, attempt=node.attempt, outcome=self._outcome(node))

    def _outcome(self, node: NodeState) -> Outcome:
        script = self.scripts[node.node_id]
        if script.is_fatal(node.path):
            return AgentFailure(code="agent_error", message="as told")
        if node.attempt - node.lost_attempts <= script.failures:
            return AgentFailure(code="unavailable", message="as told")
        return AgentReply(output={"from": node.path})

    # Children

    def end_child(self, path: str) -> None:
        """The child that a subflow waits for ends as its script says."""
        child = self.rows[path].remembered("child")
        failed = self.scripts[self.rows[path].node_id].is_fatal(path)
        if not self.children[child].terminal:
            self.children[child] = ExecutionStatus.FAILED if failed else ExecutionStatus.COMPLETED
        self.tell(ChildEnded(path=path, child=child, status=self.children[child], output={"from": path}))

    def _cancel_children(self, transition: Transition) -> None:
        for child in transition.orphans:
            if not self.children[child].terminal:
                self.children[child] = ExecutionStatus.CANCELLED

    # Time

    def _pass_time(self) -> None:
        """Nothing is under way: the next due time comes."""
        due = [row.due_at for row in self.rows.values() if row.due_at is not None]
        if due:
            self.now = max(self.now, min(due))
        if self.execution.status is ExecutionStatus.QUEUED:
            self.messages.append(START)
        self._tick()

    def _tick(self) -> None:
        self.now += timedelta(seconds=self.rng.choice([0.1, 1.0, 5.0]))
        due = [row for row in self.rows.values() if row.due_at is not None and row.due_at <= self.now]
        facts = [fact for row in due if (fact := self._what_is_due(row)) is not None]
        if self.execution.deadline_at is not None and self.execution.deadline_at <= self.now:
            facts.append(DeadlinePassed())
        if facts:
            self._hold(self.advance(facts))

    def _what_is_due(self, row: NodeState) -> Fact | None:
        if row.status is NodeStatus.QUEUED:
            self.rows[row.path] = replace(row, due_at=self.now + timedelta(seconds=self.terms.lost_after))
            self.messages.append(row.path)
            return None
        if row.status is NodeStatus.RETRYING:
            return RetryDue(path=row.path, attempt=row.attempt)
        if row.status is NodeStatus.RUNNING and self.plan.node(row.path).type not in CONTAINERS:
            return None if self._renewed(row) else Lost(path=row.path, attempt=row.attempt)
        return TimeCome(path=row.path)

    def _renewed(self, row: NodeState) -> bool:
        """The heartbeat of a living worker."""
        alive = any(held.node.path == row.path and held.node.attempt == row.attempt for held in self.running)
        if alive:
            self.rows[row.path] = replace(row, due_at=self.now + timedelta(seconds=self.terms.lease))
        return alive

    def _slice(self) -> str | None:
        return "engine" if self.rng.random() < 0.5 else None

    def _mishap(self, likelihood: float) -> bool:
        happens = self._budget > 0 and self.rng.random() < likelihood
        self._budget -= happens
        return happens

    def _hold(self, transition: Transition) -> None:
        self.messages.extend(transition.queued)
        for node in (self.rows[path] for path in transition.claimed):
            known = {**transition.known, node.path: node}
            self._take(Running(node=node, execution=self.execution, known=known))

    def _take(self, held: Running) -> None:
        self.asked.setdefault(held.node.path, held.node.input)
        self.running.append(held)


@dataclass(kw_only=True)
class Told:
    """What the events say about each node, to be held against its row."""

    started: Counter[tuple[str, int]] = field(default_factory=Counter)
    ended: Counter[str] = field(default_factory=Counter)
    terminal: list[str] = field(default_factory=list)


def told(events: Iterable[Event]) -> Told:
    found = Told()
    for event in events:
        if event.type == "node.started" and event.path is not None:
            found.started[event.path, event.data["attempt"]] += 1
        elif event.type == "node.released":
            found.started[str(event.path), event.data["attempt"]] -= 1
        elif event.type in {"node.completed", "node.failed", "node.skipped", "node.cancelled"}:
            found.ended[str(event.path)] += 1
        elif event.type in {f"execution.{status}" for status in ExecutionStatus if status.terminal}:
            found.terminal.append(event.type)
    return found
