"""An execution in memory: rows as the store keeps them, messages that may be lost, doubled, late or out of order."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from random import Random
from typing import Any

from aispine.agent.contract import AgentFailure, AgentReply, Outcome
from aispine.engine.decide import decide
from aispine.engine.facts import CancelRequested, DeadlinePassed, Fact, Finished, Lost, RetryDue, Started
from aispine.engine.ledger import MissingNodesError
from aispine.engine.terms import Terms
from aispine.flow.model import Flow
from aispine.flow.plan import EdgeKind, plan
from aispine.flow.state import Event, ExecutionState, NodeState, Reading, Transition
from aispine.flow.status import ExecutionStatus, NodeStatus
from tests.unit.engine.reference import Script

START = ""
"""The path of the message that starts the execution."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Running:
    """A node that a worker runs, with the execution as it stood when the worker took it."""

    node: NodeState
    execution: ExecutionState


@dataclass(frozen=True, kw_only=True, slots=True)
class Chaos:
    """How likely each mishap is, and how many of them happen at most."""

    lose: float = 0.0
    double: float = 0.0
    die: float = 0.0
    late: float = 0.0
    budget: int = 0


class World:
    """One execution with all that surrounds it. Every write is checked against what must always hold."""

    def __init__(
        self, flow: Flow, data: Any, scripts: Mapping[str, Script], rng: Random, chaos: Chaos | None = None
    ) -> None:
        self.plan = plan(flow)
        self.rows: dict[str, NodeState] = {}
        self.events: list[Event] = []
        self.messages: list[str] = [START]
        self.running: list[Running] = []
        self.late: list[Running] = []
        self.asked: dict[str, Any] = {}
        self.now = datetime(2026, 1, 1, tzinfo=UTC)
        self._scripts = scripts
        self._rng = rng
        self._chaos = chaos or Chaos()
        self._budget = self._chaos.budget
        self._terms = Terms(owner="worker", lease=10.0, lost_after=600.0, max_lost_attempts=10_000, rng=Random(0))
        agents = {"echo@*": {"version": "1.0.0", "pool": "quick"}}
        self.execution = ExecutionState(
            execution_id="e",
            tenant_id="t",
            flow_id=flow.flow_id,
            flow_version_id=1,
            status=ExecutionStatus.QUEUED,
            input=data,
            context=flow.context,
            agents=agents,
        )

    @property
    def statuses(self) -> dict[str, str]:
        return {path: str(self.status(path)) for path in self.plan.graph.order}

    def status(self, path: str) -> NodeStatus:
        return self.rows[path].status if path in self.rows else NodeStatus.PENDING

    def run(self, steps: int = 5_000) -> None:
        """Lets the world go on until the execution has ended and nothing is under way any more."""
        for _ in range(steps):
            if self.execution.status.terminal and not self.messages and not self.running and not self.late:
                return
            self.step()
        raise AssertionError(f"still {self.execution.status}: {self.statuses}")

    def step(self) -> None:
        """One thing happens somewhere."""
        happenings = [self._deliver] * bool(self.messages) + [self._finish] * bool(self.running)
        happenings += [self._come_late] * bool(self.late)
        if not happenings:
            self._pass_time()
        elif self._rng.random() < 0.1:
            self._tick()
        else:
            self._rng.choice(happenings)()

    def advance(self, facts: Iterable[Fact], path: str | None = None, *, take_from: str | None = None) -> Transition:
        """Decides under the execution's lock, reading what the decision asks for and no more, and writes."""
        facts = tuple(facts)
        wanted = set() if path is None else {path}
        all_open = False
        while True:
            reading = self._read(wanted, all_open=all_open)
            try:
                transition = decide(self.plan, reading, facts, self._terms, take_from=take_from)
            except MissingNodesError as missing:
                if missing.paths <= wanted and all_open >= missing.all_open:
                    raise AssertionError("the decision asks for what it has") from missing
                wanted |= missing.paths
                all_open = all_open or missing.all_open
            else:
                self._write(transition)
                return transition

    def cancel(self) -> None:
        self.advance([CancelRequested()])

    def _read(self, paths: Iterable[str], *, all_open: bool) -> Reading:
        nodes = {path: self.rows.get(path) for path in paths}
        if all_open:
            nodes |= {path: row for path, row in self.rows.items() if row.status.open}
        return Reading(execution=self.execution, nodes=nodes, now=self.now, all_open=all_open)

    def _deliver(self) -> None:
        path = self.messages.pop(self._rng.randrange(len(self.messages)))
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
        if row is None or row.status is not NodeStatus.QUEUED or self.execution.status is not ExecutionStatus.RUNNING:
            return
        node = replace(
            row,
            status=NodeStatus.RUNNING,
            attempt=row.attempt + 1,
            lease_owner=self._terms.owner,
            due_at=self.now + timedelta(seconds=self._terms.lease),
            started_at=row.started_at or self.now,
        )
        self.rows[path] = node
        self.events.append(Event(type="node.started", path=path, data={"attempt": node.attempt}))
        self.execution = replace(self.execution, event_seq=self.execution.event_seq + 1)
        # The claim does not read back what an earlier attempt left.
        bare = replace(node, output=None, message=None, metadata=None, error=None)
        self._take(Running(node=bare, execution=self.execution))

    def _finish(self) -> None:
        held = self.running.pop(self._rng.randrange(len(self.running)))
        if self._mishap(self._chaos.die):
            if self._mishap(self._chaos.late):
                self.late.append(held)
            return
        self._report(held)

    def _come_late(self) -> None:
        """A process that counted as dead tells its result after all."""
        self._report(self.late.pop(self._rng.randrange(len(self.late))))

    def _report(self, held: Running) -> None:
        fact = Finished(path=held.node.path, attempt=held.node.attempt, outcome=self._outcome(held.node))
        if held.execution.open_nodes == 1 and self._speculate(held, fact):
            return
        before = self.rows[held.node.path]
        self._hold(self.advance([fact], held.node.path, take_from=self._slice()))
        if before.attempt != held.node.attempt:
            assert self.rows[held.node.path] == before, "a late result of a lost attempt was taken"

    def _speculate(self, held: Running, fact: Finished) -> bool:
        """Decides on what the worker knew when it took the node; counts only if nothing has happened since."""
        reading = Reading(execution=held.execution, nodes={held.node.path: held.node}, now=self.now)
        try:
            transition = decide(self.plan, reading, [fact], self._terms, take_from=self._slice())
        except MissingNodesError:
            return False
        if self.execution.event_seq != held.execution.event_seq:
            return False
        self._write(transition)
        self._hold(transition)
        return True

    def _outcome(self, node: NodeState) -> Outcome:
        script = self._scripts[node.node_id]
        if script.fatal:
            return AgentFailure(code="agent_error", message="as told")
        if node.attempt - node.lost_attempts <= script.failures:
            return AgentFailure(code="unavailable", message="as told")
        return AgentReply(output={"from": node.node_id})

    def _pass_time(self) -> None:
        """Nothing is under way: the next due time comes."""
        due = [row.due_at for row in self.rows.values() if row.due_at is not None]
        if due:
            self.now = max(self.now, min(due))
        if self.execution.status is ExecutionStatus.QUEUED:
            self.messages.append(START)
        self._tick()

    def _tick(self) -> None:
        self.now += timedelta(seconds=self._rng.choice([0.1, 1.0, 5.0]))
        facts: list[Fact] = []
        for row in [row for row in self.rows.values() if row.due_at is not None and row.due_at <= self.now]:
            if row.status is NodeStatus.RUNNING and not self._renewed(row):
                facts.append(Lost(path=row.path, attempt=row.attempt))
            elif row.status is NodeStatus.RETRYING:
                facts.append(RetryDue(path=row.path, attempt=row.attempt))
            elif row.status is NodeStatus.QUEUED:
                self.rows[row.path] = replace(row, due_at=self.now + timedelta(seconds=self._terms.lost_after))
                self.messages.append(row.path)
        if self.execution.deadline_at is not None and self.execution.deadline_at <= self.now:
            facts.append(DeadlinePassed())
        if facts:
            self._hold(self.advance(facts))

    def _renewed(self, row: NodeState) -> bool:
        """The heartbeat of a living worker."""
        alive = any(held.node.path == row.path and held.node.attempt == row.attempt for held in self.running)
        if alive:
            self.rows[row.path] = replace(row, due_at=self.now + timedelta(seconds=self._terms.lease))
        return alive

    def _slice(self) -> str | None:
        return "engine" if self._rng.random() < 0.5 else None

    def _mishap(self, likelihood: float) -> bool:
        happens = self._budget > 0 and self._rng.random() < likelihood
        self._budget -= happens
        return happens

    def _hold(self, transition: Transition) -> None:
        self.messages.extend(transition.queued)
        if transition.claimed is not None:
            self._take(Running(node=self.rows[transition.claimed], execution=self.execution))

    def _take(self, held: Running) -> None:
        self.asked.setdefault(held.node.path, held.node.input)
        self.running.append(held)

    def _write(self, transition: Transition) -> None:
        if transition.events:
            assert not self.execution.status.terminal, "something happened after the end"
        assert transition.execution.event_seq == self.execution.event_seq + len(transition.events)
        self.execution = transition.execution
        self.events.extend(transition.events)
        for path, node in transition.nodes.items():
            assert node.stored == (path in self.rows), f"{path} would be inserted twice or updated before it is there"
            kept = node.input if node.input is not None else self._input_of(path)
            self.rows[path] = replace(node, stored=True, input=kept)
        self._check()

    def _input_of(self, path: str) -> Any:
        return self.rows[path].input if path in self.rows else None

    def _check(self) -> None:
        assert self.execution.open_nodes == sum(row.status.open for row in self.rows.values())
        assert self.execution.event_seq == len(self.events)
        if not self.execution.status.terminal:
            for path in self.rows:
                assert self._counters(path) == self._counted(path), path

    def _counters(self, path: str) -> Counter[str]:
        row = self.rows[path]
        return +Counter(
            unsettled=row.unsettled, control=row.live_control, dependency=row.live_dependency, blocked=row.blocked
        )

    def _counted(self, path: str) -> Counter[str]:
        """The same counters, from the sources' statuses."""
        counted: Counter[str] = Counter()
        for edge in self.plan.graph.incoming[path]:
            source, spec = self.rows.get(edge.source), self.plan.node(edge.source)
            if source is None or not source.status.terminal:
                counted["unsettled"] += 1
            elif source.status is NodeStatus.FAILED and spec.on_error is None:
                counted["blocked"] += 1
            elif edge.label == "on_error":
                counted["control"] += source.status is NodeStatus.FAILED
            elif edge.kind is EdgeKind.CONTROL:
                counted["control"] += (source.state or {}).get("chosen") == edge.label
            else:
                continued = source.status is NodeStatus.FAILED and spec.on_error == "continue"
                counted["dependency"] += source.status is NodeStatus.COMPLETED or continued
        return +counted


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
        elif event.type in {"node.completed", "node.failed", "node.skipped", "node.cancelled"}:
            found.ended[str(event.path)] += 1
        elif event.type in {f"execution.{status}" for status in ExecutionStatus if status.terminal}:
            found.terminal.append(event.type)
    return found
