"""What an answer over HTTP means: its JSON, or why it is a refusal (the table of the agent contract)."""

from __future__ import annotations

import email.utils
import math
import time
from collections.abc import Mapping
from typing import Any, Final

import requests

from aispine.flow.jsonvalue import parse
from aispine.flow.outcome import AgentFailure, FailureCode
from aispine.guards.http import Answer

LONGEST_RETRY_AFTER: Final = 86400.0


def json_of(answer: Answer) -> Any:
    """The parsed body. Raises `ValueError` when it is not JSON or does not say so."""
    kind = answer.headers.get("Content-Type", "").split(";")[0].strip().lower()
    if kind != "application/json" and not kind.endswith("+json"):
        raise ValueError(f"its content type is {kind[:100] or 'missing'!r}, not application/json")
    try:
        return parse(answer.body)
    except ValueError as error:
        raise ValueError(f"it is not JSON: {error}") from error


def refusal(answer: Answer, callee: str = "agent") -> AgentFailure:
    """What an answer other than 200 means; `callee` is what people call who answered."""
    status = answer.status
    message = f"the {callee} answered {status}{_said(answer)}"
    if status == requests.codes.too_many_requests:
        return AgentFailure(
            code=FailureCode.RATE_LIMITED, message=message, retry_after=_retry_after(answer), detail=_limits(answer)
        )
    if status >= 500:
        return AgentFailure(code=FailureCode.UNAVAILABLE, message=message, retry_after=_retry_after(answer))
    if status >= 400:
        return AgentFailure(code=FailureCode.REJECTED, message=message, detail={"status": status})
    if status >= 300:
        return invalid(f"{message}: redirects are not followed, register the address it leads to")
    return invalid(f"{message}: the contract wants 200")


def _said(answer: Answer) -> str:
    """Its own words, when its answer is JSON with a message."""
    try:
        body = json_of(answer)
    except ValueError:
        return ""
    fields = body if isinstance(body, Mapping) else {}
    if isinstance(fields.get("error"), Mapping):
        fields = fields["error"]  # As the APIs of models say it.
    words = (fields.get(name) for name in ("error_message", "detail", "message", "error", "title"))
    said = next((word for word in words if isinstance(word, str) and word), None)
    return f": {said[:300]}" if said else ""


def _retry_after(answer: Answer) -> float | None:
    """Seconds to wait, from `Retry-After` (seconds or a date), else from `X-RateLimit-Reset`."""
    seconds = _seconds(answer.headers.get("Retry-After", "")) or _reset(answer.headers.get("X-RateLimit-Reset", ""))
    return None if seconds is None else min(max(seconds, 0.0), LONGEST_RETRY_AFTER)


def _seconds(text: str) -> float | None:
    number = _number(text)
    if number is not None:
        return number
    try:
        return email.utils.parsedate_to_datetime(text).timestamp() - time.time()
    except (TypeError, ValueError, OverflowError):
        return None


def _reset(text: str) -> float | None:
    """A time in seconds since 1970, or a number of seconds from now: agents in the field send either."""
    number = _number(text)
    return number - time.time() if number is not None and number > 1_000_000_000 else number


def _number(text: str) -> float | None:
    try:
        number = float(text)
    except ValueError:
        return None
    return number if math.isfinite(number) else None


def _limits(answer: Answer) -> dict[str, str] | None:
    names = {name: f"X-RateLimit-{name.capitalize()}" for name in ("limit", "remaining", "reset")}
    found = {name: answer.headers[header][:100] for name, header in names.items() if header in answer.headers}
    return found or None


def invalid(message: str) -> AgentFailure:
    """An answer that does not fit the contract."""
    return AgentFailure(code=FailureCode.INVALID_RESPONSE, message=message)
