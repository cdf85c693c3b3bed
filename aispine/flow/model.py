"""The flow as values: what a file says once it is read and found valid."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any, Literal

from aispine.flow.expression import Condition, Selection, Template


class NodeType(StrEnum):
    """What a node does; `agent` is read as `processor`, `conditional` as `decision`."""

    INPUT = "input"
    PROCESSOR = "processor"
    TOOL = "tool"
    TRANSFORM = "transform"
    DECISION = "decision"
    SWITCH = "switch"
    LOOP = "loop"
    MAP = "map"
    FORK = "fork"
    JOIN = "join"
    SUBFLOW = "subflow"
    WAIT = "wait"
    APPROVAL = "approval"
    OUTPUT = "output"


@dataclass(frozen=True, kw_only=True, slots=True)
class Position:
    """A place in the file, both 1-based."""

    line: int = 0
    column: int = 0


@dataclass(frozen=True, kw_only=True, slots=True)
class RetryPolicy:
    """When a failed attempt is tried again; delays in seconds."""

    max_attempts: int = 3
    backoff: Literal["fixed", "linear", "exponential"] = "exponential"
    initial_delay: float = 1.0
    multiplier: float = 2.0
    max_delay: float = 60.0
    jitter: Literal["none", "full"] = "full"
    max_elapsed: float | None = None
    retry_on: frozenset[str] = frozenset({"timeout", "unavailable", "rate_limited"})


@dataclass(frozen=True, kw_only=True, slots=True)
class Choice:
    """One case of a decision or switch: the nodes chosen when the condition holds; no condition means always."""

    label: str
    when: Condition | None
    then: tuple[str, ...]


@dataclass(frozen=True, kw_only=True, slots=True)
class Loop:
    """`until` ends the loop when it holds, `while_` when it does not; `delay` in seconds."""

    max_iterations: int
    body: tuple[Node, ...]
    until: Condition | None = None
    while_: Condition | None = None
    delay: float = 0.0
    on_exhausted: Literal["fail", "continue"] = "fail"


@dataclass(frozen=True, kw_only=True, slots=True)
class Map:
    items: Selection
    body: tuple[Node, ...]
    max_concurrency: int | None = None
    on_item_error: Literal["fail", "continue"] = "fail"
    complete_when: Condition | None = None


@dataclass(frozen=True, kw_only=True, slots=True)
class Fork:
    branches: Mapping[str, tuple[Node, ...]]


@dataclass(frozen=True, kw_only=True, slots=True)
class Join:
    strategy: Literal["all_complete", "first_complete", "n_of_m", "best_result"] = "all_complete"
    n: int | None = None
    score: Selection | None = None
    cancel_rest: bool = False


@dataclass(frozen=True, kw_only=True, slots=True)
class Subflow:
    flow_id: str
    version: str = "*"


@dataclass(frozen=True, kw_only=True, slots=True)
class Wait:
    """Exactly one of the three; `seconds` and `until` may be templates."""

    seconds: Template | None = None
    until: Template | None = None
    signal: str | None = None
    on_timeout: str = "fail"


@dataclass(frozen=True, kw_only=True, slots=True)
class Approval:
    form: Mapping[str, Any] | None = None
    on_timeout: str = "fail"


@dataclass(frozen=True, kw_only=True, slots=True)
class Node:
    """A vertex of a flow. `timeout` in seconds, None where nothing says one."""

    id: str
    type: NodeType
    position: Position = Position()
    name: str | None = None
    description: str | None = None
    depends_on: tuple[str, ...] = ()
    agent_id: str | None = None
    """The agent's id without its version range."""
    agent_version: str = "*"
    tool_id: str | None = None
    error_output: str | None = None
    """The shared variable that keeps the error when the node fails."""
    input: Template | None = None
    output: Template | None = None
    """What a transform or output node yields; None passes its input on."""
    config: Mapping[str, Any] = field(default_factory=dict)
    secrets: frozenset[str] = frozenset()
    """The names of the secrets in its input and config."""
    metadata: Mapping[str, Any] = field(default_factory=dict)
    guard: tuple[Condition, ...] = ()
    """The older `conditions`: all must hold, else the node is skipped."""
    set: Mapping[str, Template] = field(default_factory=dict)
    retry: RetryPolicy | None = None
    timeout: float | None = None
    on_error: str | None = None
    """A node id, `continue`, `fail`, or None (= fail)."""
    pool: Literal["quick", "cpu", "io"] | None = None
    on_unready: str = "fail"
    """What an attempt does whose agent is not to be called now: `fail` or `wait`."""
    cache: float | None = None
    """For how many seconds the agent's answers are kept; None keeps none."""
    mutex: str | None = None
    """Nodes of an execution that share one never run at the same time."""
    terminate: bool = False
    """Of an output node: the execution ends with it at once."""
    choices: tuple[Choice, ...] = ()
    """Of a decision (labels `then`, `else`) or a switch (`cases[0]`..., `default`), in order; first true wins."""
    loop: Loop | None = None
    map: Map | None = None
    fork: Fork | None = None
    join: Join | None = None
    subflow: Subflow | None = None
    wait: Wait | None = None
    approval: Approval | None = None

    @property
    def makes_call(self) -> bool:
        """True when running the node means calling an agent or a tool, so that it needs a worker."""
        return self.agent_id is not None or self.tool_id is not None

    @property
    def bodies(self) -> tuple[tuple[Node, ...], ...]:
        """The nodes inside: of a loop, of a map, or of each branch of a fork."""
        inside = [part.body for part in (self.loop, self.map) if part is not None]
        return (*inside, *(self.fork.branches.values() if self.fork else ()))


@dataclass(frozen=True, kw_only=True, slots=True)
class Schedule:
    """When a flow starts by itself: by `cron`, five fields read in `timezone`, or `every` so many seconds."""

    cron: str | None = None
    every: float | None = None
    timezone: str = "UTC"
    input: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, kw_only=True, slots=True)
class Flow:
    """One flow file. `timeout` in seconds for a whole execution."""

    flow_id: str
    version: str
    name: str
    nodes: tuple[Node, ...]
    description: str | None = None
    metadata: Mapping[str, Any] = field(default_factory=dict)
    input_schema: Mapping[str, Any] | None = None
    context: Mapping[str, Any] = field(default_factory=dict)
    timeout: float | None = None
    on_error: str | None = None
    on_failure: Literal["fail", "finish"] = "fail"
    """`fail` cancels the siblings of an unhandled failure at once, `finish` lets them end first."""
    output: Template | None = None
    entry_point: str | None = None
    exit_points: tuple[str, ...] = ()
    schedule: Schedule | None = None
