"""The figures that `/metrics` shows: what each is, and what a transition adds to them. Pure."""

from __future__ import annotations

import re
from bisect import bisect_left
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from aispine.events.types import EventType
from aispine.flow import paths
from aispine.flow.state import Event, ExecutionState, NodeState, Transition
from aispine.flow.status import ExecutionStatus, NodeStatus

PREFIX: Final = "aispine_"
BUCKETS: Final = (0.01, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0, 60.0, 300.0, 1800.0)
"""Upper bounds in seconds of every histogram."""


_BOUNDS: Final = (*(f"{bound:g}" for bound in BUCKETS), "+Inf")


@dataclass(frozen=True, kw_only=True, slots=True)
class Metric:
    """A family of figures; its name without the prefix is its key in `METRICS`."""

    kind: str
    help: str


METRICS: Final[Mapping[str, Metric]] = {
    "executions_started_total": Metric(kind="counter", help="Executions that began."),
    "executions_ended_total": Metric(kind="counter", help="Executions that ended, by status."),
    "executions_retried_total": Metric(kind="counter", help="Executions opened again after their end."),
    "execution_duration_seconds": Metric(kind="histogram", help="From an execution's start to its end, by status."),
    "node_attempts_total": Metric(kind="counter", help="Attempts that began, by queue."),
    "node_retries_total": Metric(kind="counter", help="Attempts that failed and are followed by another, by code."),
    "nodes_ended_total": Metric(kind="counter", help="Nodes that ended, by status."),
    "node_duration_seconds": Metric(
        kind="histogram", help="From the first attempt of a node to its end, retries included, by queue."
    ),
    "queue_wait_seconds": Metric(kind="histogram", help="From the queueing of a node to its first attempt, by queue."),
    "nodes_lost_total": Metric(kind="counter", help="Attempts whose process died or stalled: recoveries."),
    "late_results_total": Metric(kind="counter", help="Results refused since their attempt was over."),
    "messages_resent_total": Metric(kind="counter", help="Messages sent again since they counted as lost."),
    "guards_missed_total": Metric(
        kind="counter", help="Calls and requests let through unasked, since Redis was away: circuits, limits."
    ),
    "event_streams": Metric(kind="gauge", help="Event streams that the answering web process has open."),
    "event_stream_readers": Metric(kind="gauge", help="Executions whose log it reads for them, once for each."),
    "calls_not_audited_total": Metric(
        kind="counter", help="Calls missing from the audit, since the store was away for too long."
    ),
    "executions_open": Metric(kind="gauge", help="Executions that have not ended, by status; a count by beat."),
    "nodes_open": Metric(kind="gauge", help="Nodes that have work ahead, by status; a count by beat."),
    "queue_length": Metric(kind="gauge", help="Messages that wait in a queue of Redis."),
    "workers": Metric(kind="gauge", help="Workers and beats that were heard of, by pool and state."),
    "worker_slots": Metric(kind="gauge", help="Nodes that the live workers of a pool can run at once."),
    "worker_slots_busy": Metric(kind="gauge", help="How many of them are taken."),
    "heartbeat_age_seconds": Metric(kind="gauge", help="How long the most silent worker of a pool has said nothing."),
}

Amount = tuple[str, str, float]
"""A metric, its labels as they are shown, and what is added; of a histogram, what was observed."""


def labels(**values: str) -> str:
    """Labels as they are shown."""
    return ",".join(f'{name}="{_escaped(value)}"' for name, value in values.items())


def _escaped(value: str) -> str:
    return re.sub(r'[\\"]', r"\\\g<0>", value).replace("\n", r"\n")


def amounts(transition: Transition) -> Iterator[Amount]:
    """What a transition adds."""
    for event in transition.events:
        if event.path is None:
            yield from _of_execution(event, transition.execution)
        elif not paths.is_frame(event.path):
            yield from _of_node(event, transition.nodes.get(event.path))


def begun(node: NodeState) -> Iterator[Amount]:
    """What the beginning of an attempt adds."""
    queue = labels(queue=node.queue or "none")
    yield "node_attempts_total", queue, 1
    if node.attempt == 1:
        yield from _time("queue_wait_seconds", queue, node.queued_at, node.started_at)


def _of_execution(event: Event, execution: ExecutionState) -> Iterator[Amount]:
    if event.type == EventType.EXECUTION_STARTED:
        yield "executions_started_total", "", 1
    elif event.type == EventType.EXECUTION_RETRIED:
        yield "executions_retried_total", "", 1
    elif EventType(event.type).terminal:
        status = labels(status=event.type.partition(".")[2])
        yield "executions_ended_total", status, 1
        yield from _time("execution_duration_seconds", status, execution.started_at, execution.finished_at)


def _of_node(event: Event, node: NodeState | None) -> Iterator[Amount]:
    if event.type == EventType.NODE_STARTED and node is not None:
        yield from begun(node)
    elif event.type == EventType.NODE_RETRYING:
        yield "node_retries_total", labels(code=str((event.data.get("error") or {}).get("code", ""))), 1
    elif event.type in _COUNTED:
        yield _COUNTED[event.type], "", 1
    elif event.type in _ENDS:
        yield "nodes_ended_total", labels(status=event.type.partition(".")[2]), 1
        if node is not None and node.queue is not None:
            yield from _time("node_duration_seconds", labels(queue=node.queue), node.started_at, node.finished_at)


_COUNTED: Final[Mapping[str, str]] = {
    EventType.NODE_LOST: "nodes_lost_total",
    EventType.NODE_LATE_RESULT: "late_results_total",
}
_ENDS: Final = frozenset(
    {EventType.NODE_COMPLETED, EventType.NODE_FAILED, EventType.NODE_SKIPPED, EventType.NODE_CANCELLED}
)


def _time(name: str, of: str, begin: datetime | None, end: datetime | None) -> Iterator[Amount]:
    if begin is not None and end is not None:
        yield name, of, max((end - begin).total_seconds(), 0.0)


Sample = tuple[str, str, float]
"""The full name of a figure, its labels and its value."""


class Tally:
    """Amounts added up, until they are taken."""

    def __init__(self) -> None:
        self._sums: dict[tuple[str, str], float] = {}
        self._buckets: dict[tuple[str, str, int], int] = {}

    def __bool__(self) -> bool:
        return bool(self._sums)

    def add(self, name: str, of: str, value: float) -> None:
        if METRICS[name].kind == "histogram":
            key = name, of, bisect_left(BUCKETS, value)
            self._buckets[key] = self._buckets.get(key, 0) + 1
            name = f"{name}_sum"
        self._sums[name, of] = self._sums.get((name, of), 0.0) + value

    def samples(self) -> dict[tuple[str, str], float]:
        """What was added, as full names: of a histogram each bucket with all that is below it."""
        found = {(PREFIX + name, of): value for (name, of), value in self._sums.items()}
        for (name, of, place), count in self._buckets.items():
            for each, bound in enumerate(_BOUNDS):
                key = f"{PREFIX}{name}_bucket", f'{of},le="{bound}"'
                found[key] = found.get(key, 0) + (count if each >= place else 0)
            key = f"{PREFIX}{name}_count", of
            found[key] = found.get(key, 0) + count
        return found


def open_samples(found: Mapping[tuple[str, str], int]) -> dict[tuple[str, str], float]:
    """What is open by `executions` or `nodes` and status, as gauges; a status with nothing in it is 0."""
    open_: Mapping[str, Sequence[str]] = {
        "executions": [status for status in ExecutionStatus if not status.terminal],
        "nodes": [NodeStatus.QUEUED, NodeStatus.RUNNING, NodeStatus.RETRYING, NodeStatus.WAITING],
    }
    return {
        (f"{PREFIX}{kind}_open", labels(status=status)): float(found.get((kind, status), 0))
        for kind, statuses in open_.items()
        for status in statuses
    }


def render(samples: Iterable[Sample]) -> str:
    """The samples in Prometheus's text format, each family after what it is."""
    families: dict[str, list[Sample]] = {}
    for sample in samples:
        families.setdefault(_family(sample[0]), []).append(sample)
    return "".join(_rendered(name, metric, families[name]) for name, metric in METRICS.items() if name in families)


def _rendered(name: str, metric: Metric, samples: list[Sample]) -> str:
    lines = [f"# HELP {PREFIX}{name} {metric.help}", f"# TYPE {PREFIX}{name} {metric.kind}"]
    for full, of, value in sorted(samples, key=_order):
        lines.append(f"{full}{{{of}}} {value:.16g}" if of else f"{full} {value:.16g}")
    return "\n".join(lines) + "\n"


def _order(sample: Sample) -> tuple[str, str, float]:
    """Buckets by their bound, as some readers expect them."""
    name, of, _ = sample
    rest, _, bound = of.partition(',le="')
    return name, rest, float(bound.removesuffix('"')) if bound else 0.0


def _family(full: str) -> str:
    name = full.removeprefix(PREFIX)
    return name if name in METRICS else re.sub(r"_(bucket|sum|count)$", "", name)
