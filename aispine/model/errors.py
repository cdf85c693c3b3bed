"""What it means when a model's provider refuses: a failure with a code that flows know, and the provider's own."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any, Final

from aispine.flow.outcome import AgentFailure, FailureCode
from aispine.guards.answer import json_of, refusal
from aispine.guards.http import Answer
from aispine.model.chat import Usage

CONTEXT_TOO_LONG: Final = "context_too_long"
CONTENT_FILTER: Final = "content_filter"
REFUSAL: Final = "refusal"
QUOTA: Final = "quota"
CUT_OFF: Final = "cut_off"

_OF_CODE: Final = {
    "context_length_exceeded": CONTEXT_TOO_LONG,
    "string_above_max_length": CONTEXT_TOO_LONG,
    "content_filter": CONTENT_FILTER,
    "content_policy_violation": CONTENT_FILTER,
    "insufficient_quota": QUOTA,
    "billing_hard_limit_reached": QUOTA,
}
_TOO_LONG: Final = ("context length", "maximum context", "context window", "too many tokens", "input token count")


class ModelError(Exception):
    """A model gave no turn that can be used; `failure` says why, `usage` what it cost all the same."""

    def __init__(self, failure: AgentFailure, usage: Usage | None = None) -> None:
        super().__init__(failure.message)
        self.failure = failure
        self.usage = usage


def refused(answer: Answer) -> AgentFailure:
    """What an answer with a bad status means."""
    try:
        told = error_of(json_of(answer))
    except ValueError:
        told = None
    return meaning(refusal(answer, "model"), told or {})


def told(error: Mapping[str, Any]) -> AgentFailure:
    """What an error means that came in place of a part of a stream, where no status says it."""
    message = f"the model's provider broke off: {str(error.get('message', 'without a reason'))[:300]}"
    code = FailureCode.RATE_LIMITED if _word(error) == "rate_limit_exceeded" else FailureCode.UNAVAILABLE
    return meaning(AgentFailure(code=code, message=message), error)


def error_of(value: Any) -> Mapping[str, Any] | None:
    """The error in an answer: `{"error": {...}}`, or a list of such, as some send it."""
    if isinstance(value, list) and value:
        value = value[0]
    found = value.get("error") if isinstance(value, Mapping) else None
    if isinstance(found, str):
        return {"message": found}
    return found if isinstance(found, Mapping) else None


def meaning(failure: AgentFailure, error: Mapping[str, Any]) -> AgentFailure:
    """The failure with the provider's own code; what would fail again in the same way is `rejected`."""
    own = _OF_CODE.get(_word(error))
    if own is None and failure.code == FailureCode.REJECTED and _is_too_long(error):
        own = CONTEXT_TOO_LONG
    if own is None:
        return failure
    return replace(failure, code=FailureCode.REJECTED, retry_after=None, detail={"error_code": own})


def declined(own: str, message: str) -> AgentFailure:
    """A failure of a turn that came, but not with what was asked for."""
    return AgentFailure(code=FailureCode.REJECTED, message=message[:500], detail={"error_code": own})


def _word(error: Mapping[str, Any]) -> str:
    return str(error.get("code") or error.get("type") or "")


def _is_too_long(error: Mapping[str, Any]) -> bool:
    message = str(error.get("message", "")).lower()
    return any(phrase in message for phrase in _TOO_LONG)
