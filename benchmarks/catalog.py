"""Every group of rows, in the order in which they run, and the settings of the stack that each is measured on."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from benchmarks import calls, crowds, growth, latencies, shapes, streams
from benchmarks.context import Bench
from benchmarks.memory import idle
from benchmarks.row import Row

_AGENTS: Final = {"AISPINE_AGENTS_PATH": str(Path(__file__).resolve().parent / "specimens")}


@dataclass(frozen=True, kw_only=True, slots=True)
class Group:
    """Rows that are measured together; neighbours with the same settings share a stack."""

    name: str
    measure: Callable[[Bench], Iterator[Row]]
    settings: Mapping[str, str] = field(default_factory=lambda: _AGENTS)


GROUPS: Final = (
    Group(name="idle", measure=idle),
    Group(name="chain", measure=shapes.chain),
    Group(name="fan", measure=shapes.fan),
    Group(name="wide", measure=shapes.wide),
    Group(name="map", measure=shapes.mapped),
    Group(name="loop", measure=shapes.loop),
    Group(name="layers", measure=shapes.layers),
    Group(name="plan", measure=shapes.planned),
    Group(name="fibo", measure=shapes.computing),
    Group(name="parallel", measure=shapes.parallel),
    Group(name="post", measure=latencies.posts),
    Group(name="health", measure=latencies.health),
    Group(name="due", measure=latencies.due),
    Group(name="together", measure=crowds.together),
    Group(name="burst", measure=crowds.burst),
    Group(name="sustained", measure=crowds.sustained),
    Group(name="streams", measure=streams.followed),
    Group(name="calls", measure=calls.calls),
    Group(name="growth", measure=growth.nodes),
    Group(name="memory", measure=growth.processes, settings=_AGENTS | {"AISPINE_TASKS_PER_CHILD": "0"}),
)
