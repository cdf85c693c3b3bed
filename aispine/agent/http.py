"""Agents over HTTP: `GET /health` and `POST /execute`, and what every kind of answer means."""

from __future__ import annotations

import contextlib
import email.utils
import json
import math
import time
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

import requests
from urllib3.exceptions import DecodeError, HTTPError

import aispine
from aispine.agent import credential, transport
from aispine.agent.contract import (
    AgentFailure,
    AgentRequest,
    ContractError,
    FailureCode,
    Health,
    Outcome,
    read_health,
    read_reply,
)
from aispine.agent.definition import AgentVersion
from aispine.agent.jsonvalue import parse
from aispine.errors import AISpineError
from aispine.settings import Settings

HEALTH_TIMEOUT: Final = 5.0
MAX_HEALTH_BYTES: Final = 100_000
LONGEST_RETRY_AFTER: Final = 86400.0
CHUNK: Final = 65536


class TooMuch(Exception):
    """The body is larger than the limit."""


@dataclass(frozen=True, slots=True)
class Answer:
    """What came back, whatever its status."""

    status: int
    headers: Mapping[str, str]
    body: bytes


def execute(agent: AgentVersion, request: AgentRequest, settings: Settings) -> Outcome:
    """Asks the agent; every way in which that can fail is an `AgentFailure`, never an exception.

    The whole call, from the name's resolution to the body's last byte, takes at most `request.timeout`.
    """
    answer = _exchange(
        agent,
        "POST",
        "/execute",
        settings,
        seconds=request.timeout,
        limit=settings.max_response_bytes,
        headers=_request_headers(request),
        body=json.dumps(request.body()).encode(),
        key=call_key(request.execution_id, request.path),
    )
    return answer if isinstance(answer, AgentFailure) else _execute_outcome(answer, request)


def health(agent: AgentVersion, settings: Settings) -> Health | AgentFailure:
    """Asks the agent how it is, within 5 s."""
    answer = _exchange(agent, "GET", "/health", settings, seconds=HEALTH_TIMEOUT, limit=MAX_HEALTH_BYTES)
    if isinstance(answer, AgentFailure):
        return answer
    if answer.status != requests.codes.ok:
        return _refusal(answer)
    try:
        return read_health(_json(answer))
    except ValueError as error:
        return _invalid(f"the answer to GET /health does not fit the contract: {error}")


def post(agent: AgentVersion, body: Any, settings: Settings, *, seconds: float) -> Answer | AgentFailure:
    """Posts any body to `/execute`, bytes as they are and all else as JSON; for checks of the contract."""
    return _exchange(
        agent,
        "POST",
        "/execute",
        settings,
        seconds=seconds,
        limit=settings.max_response_bytes,
        headers={"Content-Type": "application/json"},
        body=body if isinstance(body, bytes) else json.dumps(body).encode(),
    )


def cancel(execution_id: str, path: str) -> bool:
    """Closes the connection of that node's call, when this process has one; the call ends as `cancelled`."""
    return transport.cancel(call_key(execution_id, path))


def call_key(execution_id: str, path: str) -> str:
    return f"{execution_id}/{path}"


def _request_headers(request: AgentRequest) -> dict[str, str]:
    headers = {
        "Content-Type": "application/json",
        "Idempotency-Key": request.idempotency_key,
        "X-AISpine-Attempt": str(request.attempt),
    }
    return headers | ({"traceparent": request.traceparent} if request.traceparent else {})


def _exchange(
    agent: AgentVersion,
    method: str,
    path: str,
    settings: Settings,
    *,
    seconds: float,
    limit: int,
    headers: Mapping[str, str] | None = None,
    body: bytes | None = None,
    key: str | None = None,
) -> Answer | AgentFailure:
    """Sends one request under the agent's endpoint and returns the answer, or why there is none."""
    try:
        sent = {**_common_headers(agent, settings), **(headers or {})}
    except AISpineError as error:
        return AgentFailure(code=FailureCode.REJECTED, message=error.message)
    url = f"{(agent.endpoint or '').rstrip('/')}{path}"
    with transport.calling(seconds, key) as call:
        try:
            return _send(method, url, sent, body, limit, call)
        except TooMuch as error:
            return _invalid(str(error))
        except DecodeError:
            return _invalid("the answer's body is not compressed as its Content-Encoding says")
        except (requests.RequestException, HTTPError, OSError, ValueError) as error:
            return _broken(call, error, seconds)


def _common_headers(agent: AgentVersion, settings: Settings) -> dict[str, str]:
    headers = {
        "Accept": "application/json",
        "Accept-Encoding": "gzip",
        "User-Agent": f"aispine/{aispine.__version__}",
    }
    if agent.credential is None:
        return headers
    return headers | {"Authorization": f"Bearer {credential.open_(agent.credential, settings.encryption_keys)}"}


def _send(
    method: str, url: str, headers: Mapping[str, str], body: bytes | None, limit: int, call: transport.Call
) -> Answer:
    try:
        response = _open(method, url, headers, body, call)
    except requests.ConnectionError as error:
        if not _was_left_closed(call, error):
            raise
        response = _open(method, url, headers, body, call)
    with contextlib.closing(response):
        content = _read(response, limit)
        if call.overdue or call.cancelled:
            raise TimeoutError
        return Answer(response.status_code, response.headers, content)


def _open(
    method: str, url: str, headers: Mapping[str, str], body: bytes | None, call: transport.Call
) -> requests.Response:
    return transport.session().request(
        method,
        url,
        headers=headers,
        data=body,
        stream=True,
        allow_redirects=False,
        timeout=(call.remaining, call.remaining),
    )


def _was_left_closed(call: transport.Call, error: Exception) -> bool:
    """True when an agent closed the connection kept from an earlier call just as this one was sent on it.

    Servers do so after seconds of idleness; it says nothing about the agent, and must not cost an attempt.
    """
    return call.reused and not (call.overdue or call.cancelled) and isinstance(_causes(error)[-1], ConnectionError)


def _read(response: requests.Response, limit: int) -> bytes:
    """Reads the body, decompressed, and stops at the limit: what comes after it is never taken from the network."""
    announced = response.headers.get("Content-Length", "")
    if announced.isdigit() and int(announced) > limit:
        raise TooMuch(f"the answer is {announced} bytes; the limit is {limit}")
    content = bytearray()
    for chunk in response.raw.stream(CHUNK, decode_content=True):
        content += chunk
        if len(content) > limit:
            raise TooMuch(f"the answer is larger than the limit of {limit} bytes")
    return bytes(content)


def _broken(call: transport.Call, error: Exception, seconds: float) -> AgentFailure:
    if call.cancelled:
        return AgentFailure(code=FailureCode.CANCELLED, message="the call was cancelled")
    late = isinstance(error, TimeoutError | requests.Timeout)
    if call.overdue or late or time.monotonic() >= call.deadline:
        return AgentFailure(code=FailureCode.TIMEOUT, message=f"the agent did not answer in {seconds:g} s")
    return AgentFailure(code=FailureCode.UNAVAILABLE, message=_why_unreachable(error))


def _why_unreachable(error: Exception) -> str:
    """One line for people: the innermost reason, without the names of the library's pools and objects."""
    causes = _causes(error)
    system = next((cause for cause in reversed(causes) if isinstance(cause, OSError) and cause.strerror), None)
    reason = system.strerror if system is not None else type(causes[-1]).__name__
    return f"the agent cannot be reached: {reason}"


def _causes(error: Exception) -> list[Exception]:
    """The error and what led to it, the first cause last."""
    causes = [error]
    while (inner := causes[-1].__cause__ or causes[-1].__context__) and isinstance(inner, Exception):
        causes.append(inner)
    return causes


def _execute_outcome(answer: Answer, request: AgentRequest) -> Outcome:
    if answer.status != requests.codes.ok:
        return _refusal(answer)
    try:
        return read_reply(_json(answer), request.execution_id)
    except ValueError as error:
        return _invalid(f"the answer does not fit the contract: {error}")


def _json(answer: Answer) -> Any:
    kind = answer.headers.get("Content-Type", "").split(";")[0].strip().lower()
    if kind != "application/json" and not kind.endswith("+json"):
        raise ContractError(f"its content type is {kind[:100] or 'missing'!r}, not application/json")
    try:
        return parse(answer.body)
    except ValueError as error:
        raise ContractError(f"it is not JSON: {error}") from error


def _refusal(answer: Answer) -> AgentFailure:
    """What an answer other than 200 means (the table of the agent contract)."""
    status = answer.status
    message = f"the agent answered {status}{_said(answer)}"
    if status == requests.codes.too_many_requests:
        return AgentFailure(
            code=FailureCode.RATE_LIMITED, message=message, retry_after=_retry_after(answer), detail=_limits(answer)
        )
    if status >= 500:
        return AgentFailure(code=FailureCode.UNAVAILABLE, message=message, retry_after=_retry_after(answer))
    if status >= 400:
        return AgentFailure(code=FailureCode.REJECTED, message=message, detail={"status": status})
    if status >= 300:
        return _invalid(f"{message}: redirects are not followed, register the address it leads to")
    return _invalid(f"{message}: the contract wants 200")


def _said(answer: Answer) -> str:
    """The agent's own words, when its answer is JSON with a message."""
    try:
        body = _json(answer)
    except ContractError:
        return ""
    fields = body if isinstance(body, Mapping) else {}
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


def _invalid(message: str) -> AgentFailure:
    return AgentFailure(code=FailureCode.INVALID_RESPONSE, message=message)
