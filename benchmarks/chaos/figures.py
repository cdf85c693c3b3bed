"""What `/metrics` shows at the end of a campaign, held against the event log."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from sqlalchemy import Row

from aispine.flow import paths
from benchmarks.chaos.gremlin import Fault

_SAMPLE: Final = re.compile(r'^aispine_(\w+?)(?:\{(?:[^}]*?status="(\w+)")?[^}]*\})? (\S+)$', re.MULTILINE)
_AROUND: Final = (1.0, 0.2)
"""Seconds that writing the counts may take before a kill, and in which what was stored just before it comes after."""
_KILLS: Final = ("kill", "restart")
"""How the kinds of faults begin that end processes; a server that goes away may take a worker with it."""
_OF_EVENTS: Final[Mapping[str, tuple[str, str]]] = {
    "execution.started": ("executions_started_total", ""),
    "execution.completed": ("executions_ended_total", "completed"),
    "execution.failed": ("executions_ended_total", "failed"),
    "execution.cancelled": ("executions_ended_total", "cancelled"),
    "node.started": ("node_attempts_total", ""),
    "node.completed": ("nodes_ended_total", "completed"),
    "node.failed": ("nodes_ended_total", "failed"),
    "node.skipped": ("nodes_ended_total", "skipped"),
    "node.cancelled": ("nodes_ended_total", "cancelled"),
    "node.lost": ("nodes_lost_total", ""),
}
"""What each event adds one to: a figure and its status."""
_OPEN: Final = ("executions_open", "nodes_open")

Key = tuple[str, str]


@dataclass(frozen=True, kw_only=True, slots=True)
class Figure:
    """A figure as it is shown and as the log has it; `slack` is what killed processes may have taken with them."""

    name: str
    shown: int
    true: int
    slack: int

    @property
    def fits(self) -> bool:
        return abs(self.true - self.shown) <= self.slack


def read(text: str) -> Counter[Key]:
    """The figures of a page in Prometheus's format, summed up by name and status."""
    found: Counter[Key] = Counter()
    for name, status, value in _SAMPLE.findall(text):
        found[name, status] += int(float(value))
    return found


def compare(
    shown: Mapping[Key, int], events: Sequence[Row[Any]], faults: Sequence[Fault], heartbeat: float
) -> list[Figure]:
    """One figure for each kind of event that there was, and for what is open, which must be nothing.

    A process that was killed may have taken with it what it had counted since its last heartbeat.
    """
    counted = [(_OF_EVENTS[event.type], event.at) for event in events if _counts(event)]
    true = Counter(key for key, _ in counted)
    ends = [fault.at for fault in faults if fault.kind.startswith(_KILLS)]
    near = Counter(key for key, at in counted if any(-heartbeat - _AROUND[0] <= at - end <= _AROUND[1] for end in ends))
    ended = [_figure(key, shown.get(key, 0), true[key], near[key]) for key in sorted(true)]
    return [*ended, *(_figure((name, ""), _sum(shown, name), 0, 0) for name in _OPEN)]


def _counts(event: Row[Any]) -> bool:
    """Frames of containers have events and are no nodes."""
    return event.type in _OF_EVENTS and (event.path is None or not paths.is_frame(event.path))


def _figure(key: Key, shown: int, true: int, slack: int) -> Figure:
    return Figure(name=" ".join(filter(None, key)), shown=shown, true=true, slack=slack)


def _sum(shown: Mapping[Key, int], name: str) -> int:
    return sum(value for (found, _), value in shown.items() if found == name)
