"""The judge: compares the agents' own ledger with the event log, and counts what must be zero."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from statistics import median
from typing import Any

from sqlalchemy import Row

from aispine.flow import paths
from benchmarks.chaos import figures
from benchmarks.chaos.database import Database, Running
from benchmarks.chaos.driver import Job
from benchmarks.chaos.gremlin import Fault

_EXECUTIONS = """
    SELECT execution_id::text, status, output, error, event_seq, labels ->> 'number' AS number FROM executions
    WHERE correlation_id = :run
"""
_FAMILY = """
    WITH RECURSIVE family AS (
      SELECT execution_id, execution_id AS root, status, event_seq FROM executions WHERE correlation_id = :run
      UNION ALL
      SELECT e.execution_id, f.root, e.status, e.event_seq FROM executions e
      JOIN family f ON e.parent_execution_id = f.execution_id
    )
"""
_EVENTS = f"""{_FAMILY}
    SELECT e.execution_id::text, f.root::text, e.seq, e.type, e.path, e.data,
      extract(epoch FROM e.created_at)::float AS at
    FROM events e JOIN family f USING (execution_id) ORDER BY e.execution_id, e.seq
"""
_NODES = f"""{_FAMILY}
    SELECT n.execution_id::text, n.path, n.status, n.attempt, n.queue, n.output
    FROM node_executions n JOIN family f USING (execution_id)
"""
_DEADLY = {"kill child", "kill worker", "stop", "stop, in time"}
_TERMINAL = {"completed", "failed", "cancelled", "timed_out"}


@dataclass(frozen=True, kw_only=True, slots=True)
class Recovery:
    """How long a node stood still whose process died; both in seconds."""

    name: str
    seen_after: float
    ran_after: float


@dataclass(frozen=True, kw_only=True, slots=True)
class Verdict:
    """The figures of a run; `notes` say which executions are meant."""

    started: int
    ended: int
    stuck: int
    wrong: int
    joins_twice: int
    effects_twice: int
    repeated: int
    explained: int
    unexplained: int
    """Calls beyond one for each node and each loss of it."""
    ahead: int
    """Calls that were repeated because their process died before it had recorded that it made them."""
    seen_after: float
    """Seconds after which the latest loss of a process was seen."""
    longest_recovery: float
    """Seconds after which the last of its nodes ran again, its wait for a free slot included, those left out whose
    new message the harness dropped."""
    slowest: str
    median_recovery: float
    notes: tuple[str, ...]


class Judge:
    """Reads everything once and answers each question."""

    def __init__(
        self, database: Database, run_id: str, work: Sequence[Job], calls: Sequence[Mapping[str, Any]]
    ) -> None:
        self._jobs = {str(job.number): job for job in work}
        self._executions = database.rows(_EXECUTIONS, run=run_id)
        self._events = database.rows(_EVENTS, run=run_id)
        self._nodes = database.rows(_NODES, run=run_id)
        mine = {node.execution_id for node in self._nodes}
        # One stack may have had other runs before this one, whose calls are in the same ledger.
        self._calls = [call for call in calls if call["key"].partition(":")[0] in mine]
        self._bereaved = {event.execution_id for event in self._events if event.type == "node.lost"}
        self._quick = {(node.execution_id, node.path) for node in self._nodes if node.queue == "engine"}
        self._notes: list[str] = []

    def verdict(self, faults: Sequence[Fault], messages: Sequence[Mapping[str, Any]] = ()) -> Verdict:
        """Counts; `messages` are those that the harness dropped or doubled."""
        doubled = sum(line["kind"] == "doubled" for line in messages)
        recoveries = self._recoveries(faults, messages)
        slowest = max(recoveries, key=lambda each: each.ran_after, default=Recovery(name="", seen_after=0, ran_after=0))
        completed = Counter(
            (event.execution_id, event.path) for event in self._events if event.type == "node.completed"
        )
        joins_twice, effects_twice = self._twice(completed)
        return Verdict(
            started=len(self._executions),
            ended=sum(row.status in _TERMINAL for row in self._executions),
            stuck=self._stuck(),
            wrong=self._wrong_results() + self._wrong_nodes() + self._wrong_logs(),
            joins_twice=joins_twice,
            effects_twice=effects_twice + self._attempts_twice(),
            repeated=sum(self._repeated(ahead=False).values()),
            ahead=sum(self._repeated(ahead=True).values()),
            unexplained=self._unexplained(),
            explained=len({each for fault in faults for each in fault.hit}) + doubled,
            seen_after=max((each.seen_after for each in recoveries), default=0.0),
            longest_recovery=slowest.ran_after,
            slowest=slowest.name,
            median_recovery=median(each.ran_after for each in recoveries) if recoveries else 0.0,
            notes=tuple(self._notes),
        )

    def figures(
        self, shown: Mapping[figures.Key, int], faults: Sequence[Fault], heartbeat: float
    ) -> list[figures.Figure]:
        """What `/metrics` shows beside what the log has; processes write their counts at each heartbeat."""
        return figures.compare(shown, self._events, faults, heartbeat)

    @property
    def handed_back(self) -> int:
        """Attempts whose worker had to stop before they were done."""
        return sum(event.type == "node.lost" and bool(event.data.get("handed_back")) for event in self._events)

    def _stuck(self) -> int:
        stuck = [row for row in self._executions if row.status not in _TERMINAL]
        self._notes += [f"{row.execution_id} {self._name(row)} is {row.status}" for row in stuck]
        return len(stuck)

    def _wrong_results(self) -> int:
        wrong = [row for row in self._executions if row.status in _TERMINAL and not self._is_right(row)]
        self._notes += [f"{row.execution_id} {self._name(row)} {row.status}: {row.output} {row.error}" for row in wrong]
        numbers = Counter(row.number for row in self._executions)
        return len(wrong) + sum(count - 1 for count in numbers.values())

    def _is_right(self, row: Row[Any]) -> bool:
        job = self._jobs[row.number]
        return bool(row.status == "completed" and row.output == job.case.expected(job.value))

    def _wrong_nodes(self) -> int:
        """Nodes whose stored result is not what the call of their last attempt returned."""
        made = {(call["key"], call["attempt"], call["call"]) for call in self._calls if not call["fails"]}
        called = {call["key"] for call in self._calls}
        wrong = 0
        for node in self._nodes:
            key = f"{node.execution_id}:{node.path}"
            if node.status != "completed" or key not in called:
                continue
            said = (key, node.output["attempt"], node.output["call"])
            if said not in made or node.output["attempt"] != node.attempt:
                wrong += 1
                self._notes.append(f"{key} holds the result of attempt {node.output['attempt']}, not {node.attempt}")
        return wrong

    def _wrong_logs(self) -> int:
        """Executions whose events are not counted without a gap, or go on after the end."""
        log: dict[str, list[Row[Any]]] = defaultdict(list)
        for event in self._events:
            log[event.execution_id].append(event)
        wrong = [name for name, events in log.items() if not _is_whole(events)]
        self._notes += [f"{name}: its log has a gap, two ends, or goes on after its end" for name in wrong]
        return len(wrong)

    def _twice(self, completed: Mapping[tuple[str, str], int]) -> tuple[int, int]:
        ids = frozenset(name for job in self._jobs.values() for name in job.case.joins)
        twice = [place for place, count in completed.items() if count > 1]
        self._notes += [
            f"{execution_id}:{path} completed {completed[execution_id, path]} times" for execution_id, path in twice
        ]
        joins = sum(paths.name_of(path) in ids for _, path in twice)
        return joins, len(twice) - joins

    def _attempts_twice(self) -> int:
        """Attempts that called their agent more than once, those left out that died ahead of the store."""
        calls = Counter((call["key"], call["attempt"]) for call in self._calls)
        twice = [each for each, count in calls.items() if count > 1 and not self._may_have_run_ahead(each[0])]
        self._notes += [f"{key} made attempt {attempt} twice" for key, attempt in twice]
        return len(twice)

    def _repeated(self, *, ahead: bool) -> Counter[str]:
        """How many calls of each node were repeats: of those that may have run ahead, or of the others."""
        good = Counter(call["key"] for call in self._calls if not call["fails"])
        return Counter(
            {key: count - 1 for key, count in good.items() if count > 1 and self._may_have_run_ahead(key) == ahead}
        )

    def _unexplained(self) -> int:
        lost = Counter(f"{event.execution_id}:{event.path}" for event in self._events if event.type == "node.lost")
        found = self._repeated(ahead=False) - lost
        self._notes += [f"{key} was called {count} times more than it was lost" for key, count in found.items()]
        return found.total()

    def _may_have_run_ahead(self, key: str) -> bool:
        """Quick nodes are called before their claim is recorded: what a process that died had done is not known."""
        execution_id, _, path = key.partition(":")
        return execution_id in self._bereaved and (execution_id, path) in self._quick

    def _recoveries(self, faults: Sequence[Fault], messages: Sequence[Mapping[str, Any]]) -> list[Recovery]:
        """For each attempt that ran in a process when that died or was halted."""
        dropped = {line["of"] for line in messages if line["kind"] == "dropped"}
        log: dict[tuple[str, str], list[Row[Any]]] = defaultdict(list)
        for event in self._events:
            log[event.execution_id, event.path].append(event)
        return [
            recovery
            for fault in faults
            if fault.kind in _DEADLY
            for hit in fault.hit
            if not any(_is_about(hit, each) for each in dropped)
            and (recovery := _recovery(fault, hit, log[hit.execution_id, hit.path], faults))
        ]

    def _name(self, row: Row[Any]) -> str:
        return self._jobs[row.number].case.name


def _is_about(hit: Running, message: str) -> bool:
    return hit.execution_id in message and repr(hit.path) in message


def _recovery(fault: Fault, hit: Running, events: Sequence[Row[Any]], faults: Sequence[Fault]) -> Recovery | None:
    lost = [event.at for event in events if event.type == "node.lost" and event.data["attempt"] == hit.attempt]
    started = [event.at for event in events if event.type == "node.started" and event.data["attempt"] > hit.attempt]
    if not lost or not started:
        return None
    meanwhile = [f"{each.kind} +{each.at - fault.at:.1f} s" for each in faults if fault.at < each.at < min(started)]
    return Recovery(
        name=f"{fault.kind} at {hit.execution_id}:{hit.path} attempt {hit.attempt} in {hit.queue}, "
        f"ran again {min(started) - lost[0]:.1f} s after that was seen; meanwhile: {', '.join(meanwhile) or 'nothing'}",
        seen_after=lost[0] - fault.at,
        ran_after=min(started) - fault.at,
    )


def _is_whole(events: Sequence[Row[Any]]) -> bool:
    ends = [event for event in events if event.type.removeprefix("execution.") in _TERMINAL]
    gapless = [event.seq for event in events] == list(range(1, len(events) + 1))
    return gapless and len(ends) <= 1 and (not ends or events[-1] is ends[0])
