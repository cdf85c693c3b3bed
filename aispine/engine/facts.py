"""What can have happened to an execution: the inputs of a decision."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from aispine.agent.contract import Ended, Outcome
from aispine.flow.state import Signal
from aispine.flow.status import ExecutionStatus


@dataclass(frozen=True, kw_only=True, slots=True)
class Started:
    """Somebody asked for the execution to start."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Stalled:
    """Nothing of the execution is in flight although it has not ended."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Finished:
    """An attempt ended with an outcome; told by the process that made it."""

    path: str
    attempt: int
    outcome: Outcome


@dataclass(frozen=True, kw_only=True, slots=True)
class CalledBack:
    """The answer of an attempt whose agent had accepted, or is just about to say so."""

    path: str
    attempt: int
    outcome: Ended


@dataclass(frozen=True, kw_only=True, slots=True)
class Told:
    """Words of a model on their way; `step` counts the turns of the attempt from 1."""

    path: str
    attempt: int
    step: int
    model: str
    text: str


@dataclass(frozen=True, kw_only=True, slots=True)
class Lost:
    """An attempt's lease ended without a word: its process is gone."""

    path: str
    attempt: int
    handed_back: bool = False
    """Its process said so itself, since it had to stop; that is no fault of the node and does not count against it."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Released:
    """A claimed attempt was not begun; told by the process that had claimed it."""

    path: str
    attempt: int


@dataclass(frozen=True, kw_only=True, slots=True)
class RetryDue:
    """The delay before a retry is over."""

    path: str
    attempt: int


@dataclass(frozen=True, kw_only=True, slots=True)
class TimeCome:
    """What a wait, a container or a subflow had to be looked at for has come: a timer, a delay, a timeout."""

    path: str


@dataclass(frozen=True, kw_only=True, slots=True)
class DeadlinePassed:
    """The execution's own timeout is over."""


@dataclass(frozen=True, kw_only=True, slots=True)
class SignalReceived:
    """Outside input with a name."""

    signal: Signal
    by: str | None = None


@dataclass(frozen=True, kw_only=True, slots=True)
class ApprovalAnswered:
    """What a person said to an approval; `values` holds `approved` and the fields of the form."""

    path: str
    values: Mapping[str, Any]
    by: str


@dataclass(frozen=True, kw_only=True, slots=True)
class ChildStarted:
    """The attempt that runs a subflow has started the child execution."""

    path: str
    attempt: int
    child: str


@dataclass(frozen=True, kw_only=True, slots=True)
class ChildEnded:
    """The child execution of a subflow has ended."""

    path: str
    child: str
    status: ExecutionStatus
    output: Any = None
    error: Mapping[str, Any] | None = None


@dataclass(frozen=True, kw_only=True, slots=True)
class Aborted:
    """The execution cannot go on: what follows cannot be decided or stored."""

    code: str
    message: str


@dataclass(frozen=True, kw_only=True, slots=True)
class CancelRequested:
    """Somebody cancels the whole execution."""

    reason: str | None = None
    by: str | None = None


@dataclass(frozen=True, kw_only=True, slots=True)
class PauseRequested:
    """Somebody stops the execution where it is."""

    by: str | None = None


@dataclass(frozen=True, kw_only=True, slots=True)
class ResumeRequested:
    """Somebody lets a paused execution go on."""

    by: str | None = None


@dataclass(frozen=True, kw_only=True, slots=True)
class RetryRequested:
    """Somebody opens an ended execution again: what succeeded stays, what did not is done again."""

    detail: Mapping[str, Any] = field(default_factory=dict)


Fact = (
    Started
    | Stalled
    | Finished
    | Told
    | CalledBack
    | Lost
    | Released
    | RetryDue
    | TimeCome
    | DeadlinePassed
    | SignalReceived
    | ApprovalAnswered
    | ChildStarted
    | ChildEnded
    | Aborted
    | CancelRequested
    | PauseRequested
    | ResumeRequested
    | RetryRequested
)
