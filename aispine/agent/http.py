"""Agents over HTTP: `GET /health` and `POST /execute`."""

from __future__ import annotations

import contextlib
import json
import time
from collections.abc import Mapping
from typing import Any, Final

import requests
from urllib3.exceptions import DecodeError, HTTPError

import aispine
from aispine.agent import credential, transport
from aispine.agent.answer import Answer, invalid, json_of, refusal
from aispine.agent.contract import (
    AgentFailure,
    AgentRequest,
    FailureCode,
    Health,
    Outcome,
    read_health,
    read_reply,
)
from aispine.agent.definition import AgentVersion
from aispine.errors import AISpineError
from aispine.settings import Settings

HEALTH_TIMEOUT: Final = 5.0
MAX_HEALTH_BYTES: Final = 100_000
CHUNK: Final = 65536


class TooMuch(Exception):
    """The body is larger than the limit."""


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
        key=call_key(request.execution_id, request.path, request.attempt),
    )
    return answer if isinstance(answer, AgentFailure) else _execute_outcome(answer, request)


def health(agent: AgentVersion, settings: Settings) -> Health | AgentFailure:
    """Asks the agent how it is, within 5 s."""
    answer = _exchange(agent, "GET", "/health", settings, seconds=HEALTH_TIMEOUT, limit=MAX_HEALTH_BYTES)
    if isinstance(answer, AgentFailure):
        return answer
    if answer.status != requests.codes.ok:
        return refusal(answer)
    try:
        return read_health(json_of(answer))
    except ValueError as error:
        return invalid(f"the answer to GET /health does not fit the contract: {error}")


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


def cancel(execution_id: str, path: str, attempt: int) -> bool:
    """Closes the connection of that attempt's call, when this process has one; the call ends as `cancelled`."""
    return transport.cancel(call_key(execution_id, path, attempt))


def call_key(execution_id: str, path: str, attempt: int) -> str:
    """Names one attempt: the same process may run the next one while the call of a lost one still hangs."""
    return f"{execution_id}/{path}#{attempt}"


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
            return invalid(str(error))
        except DecodeError:
            return invalid("the answer's body is not compressed as its Content-Encoding says")
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
        return refusal(answer)
    try:
        return read_reply(json_of(answer), request.execution_id)
    except ValueError as error:
        return invalid(f"the answer does not fit the contract: {error}")
