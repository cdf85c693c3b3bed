"""What can have happened to an execution: the inputs of a decision."""

from __future__ import annotations

from dataclasses import dataclass

from aispine.agent.contract import Outcome


@dataclass(frozen=True, kw_only=True, slots=True)
class Started:
    """Somebody asked for the execution to start."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Finished:
    """An attempt ended with an outcome; told by the process that made it."""

    path: str
    attempt: int
    outcome: Outcome


@dataclass(frozen=True, kw_only=True, slots=True)
class Lost:
    """An attempt's lease ended without a word: its process is gone."""

    path: str
    attempt: int


@dataclass(frozen=True, kw_only=True, slots=True)
class RetryDue:
    """The delay before a retry is over."""

    path: str
    attempt: int


@dataclass(frozen=True, kw_only=True, slots=True)
class DeadlinePassed:
    """The execution's own timeout is over."""


@dataclass(frozen=True, kw_only=True, slots=True)
class CancelRequested:
    """Somebody cancels the whole execution."""

    reason: str | None = None


Fact = Started | Finished | Lost | RetryDue | DeadlinePassed | CancelRequested
