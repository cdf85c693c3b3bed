"""What comes of an attempt: a reply, or a failure as data with a code that flows know."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any


class FailureCode(StrEnum):
    """Why an attempt failed; the same word in flows (`retry_on`), events and answers."""

    TIMEOUT = "timeout"
    UNAVAILABLE = "unavailable"
    RATE_LIMITED = "rate_limited"
    AGENT_ERROR = "agent_error"
    INVALID_RESPONSE = "invalid_response"
    REJECTED = "rejected"
    INVALID_INPUT = "invalid_input"
    BUDGET_EXCEEDED = "budget_exceeded"
    EXPRESSION_ERROR = "expression_error"
    LOST = "lost"
    CANCELLED = "cancelled"
    JOIN_FAILED = "join_failed"
    SUBFLOW_FAILED = "subflow_failed"
    LOOP_EXHAUSTED = "loop_exhausted"
    TOO_LARGE = "too_large"
    INTERNAL_ERROR = "internal_error"


@dataclass(frozen=True, kw_only=True, slots=True)
class AgentReply:
    """A success. `output` is what `nodes.<id>.output` means in a flow."""

    output: Any
    message: str | None = None
    metadata: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, kw_only=True, slots=True)
class AgentFailure:
    """A failure as data. `retry_after` in seconds; an agent's own error code is `detail["error_code"]`.

    `metadata` say what the attempt cost all the same.
    """

    code: str
    message: str
    retry_after: float | None = None
    detail: Mapping[str, Any] | None = None
    metadata: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, kw_only=True, slots=True)
class AgentAccepted:
    """No answer yet: it comes later, by a callback, within `timeout` seconds if the agent says how long it needs."""

    timeout: float | None = None


Ended = AgentReply | AgentFailure
Outcome = Ended | AgentAccepted
