"""Agents over HTTP: `GET /health` and `POST /execute`, asked through the guard."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import replace
from typing import Any, Final

import requests

from aispine.agent import credential
from aispine.agent.contract import (
    CALLBACK_HEADER,
    AgentFailure,
    AgentRequest,
    FailureCode,
    Health,
    Outcome,
    read_accepted,
    read_health,
    read_reply,
)
from aispine.agent.definition import AgentVersion
from aispine.errors import AISpineError
from aispine.guards import calls, rules
from aispine.guards.answer import invalid, json_of, refusal
from aispine.guards.failures import CallError
from aispine.guards.http import Answer, Request, send
from aispine.guards.rules import Guard
from aispine.settings import Settings

HEALTH_TIMEOUT: Final = 5.0
MAX_HEALTH_BYTES: Final = 100_000


def execute(agent: AgentVersion, request: AgentRequest, settings: Settings, guard: Guard | None = None) -> Outcome:
    """Asks the agent; every way in which that can fail is an `AgentFailure`, never an exception.

    The whole call, from the name's resolution to the body's last byte, takes at most `request.timeout`.
    `guard` is the deployment's where it is None.
    """
    sent = Request(
        method="POST",
        url=_url(agent, "/execute"),
        headers=_request_headers(request),
        body=json.dumps(request.body()).encode(),
        seconds=request.timeout,
        limit=settings.max_response_bytes,
        key=call_key(request.execution_id, request.path, request.attempt),
    )
    answer = _exchange(agent, sent, settings, guard)
    return answer if isinstance(answer, AgentFailure) else _execute_outcome(answer, request)


def health(agent: AgentVersion, settings: Settings, guard: Guard | None = None) -> Health | AgentFailure:
    """Asks the agent how it is, within 5 s."""
    sent = Request(method="GET", url=_url(agent, "/health"), seconds=HEALTH_TIMEOUT, limit=MAX_HEALTH_BYTES)
    answer = _exchange(agent, sent, settings, guard)
    if isinstance(answer, AgentFailure):
        return answer
    if answer.status != requests.codes.ok:
        return refusal(answer)
    try:
        return read_health(json_of(answer))
    except ValueError as error:
        return invalid(f"the answer to GET /health does not fit the contract: {error}")


def post(
    agent: AgentVersion, body: Any, settings: Settings, guard: Guard | None = None, *, seconds: float
) -> Answer | AgentFailure:
    """Posts any body to `/execute`, bytes as they are and all else as JSON; for checks of the contract."""
    sent = Request(
        method="POST",
        url=_url(agent, "/execute"),
        headers={"Content-Type": "application/json"},
        body=body if isinstance(body, bytes) else json.dumps(body).encode(),
        seconds=seconds,
        limit=settings.max_response_bytes,
    )
    return _exchange(agent, sent, settings, guard)


def cancel(execution_id: str, path: str, attempt: int) -> bool:
    """Closes the connection of that attempt's call, when this process has one; the call ends as `cancelled`."""
    return calls.cancel(call_key(execution_id, path, attempt))


def call_key(execution_id: str, path: str, attempt: int) -> str:
    """Names one attempt: the same process may run the next one while the call of a lost one still hangs."""
    return f"{execution_id}/{path}#{attempt}"


def _request_headers(request: AgentRequest) -> dict[str, str]:
    headers = {
        "Content-Type": "application/json",
        "Idempotency-Key": request.idempotency_key,
        "X-AISpine-Attempt": str(request.attempt),
    }
    more = {"traceparent": request.traceparent, CALLBACK_HEADER: request.callback_url}
    return headers | {name: value for name, value in more.items() if value}


def _url(agent: AgentVersion, path: str) -> str:
    return f"{(agent.endpoint or '').rstrip('/')}{path}"


def _exchange(agent: AgentVersion, request: Request, settings: Settings, guard: Guard | None) -> Answer | AgentFailure:
    """Sends one request with the agent's key and returns the answer, or why there is none."""
    try:
        keyed = replace(request, headers={**_authorization(agent, settings), **request.headers})
        return send(keyed, guard or rules.of(settings))
    except CallError as error:
        return AgentFailure(code=FailureCode(error.code), message=told(error))
    except AISpineError as error:
        return AgentFailure(code=FailureCode.REJECTED, message=error.message)


def told(error: CallError) -> str:
    """The message of a call that failed, with what helps."""
    return f"{error.message}. {error.hint}" if error.hint else error.message


def _authorization(agent: AgentVersion, settings: Settings) -> Mapping[str, str]:
    if agent.credential is None:
        return {}
    return {"Authorization": f"Bearer {credential.open_(agent.credential, settings.encryption_keys)}"}


def _execute_outcome(answer: Answer, request: AgentRequest) -> Outcome:
    if answer.status not in {requests.codes.ok, requests.codes.accepted}:
        return _refused(answer)
    try:
        if answer.status == requests.codes.accepted:
            return read_accepted(json_of(answer))
        return read_reply(json_of(answer), request.execution_id)
    except ValueError as error:
        return invalid(f"the answer does not fit the contract: {error}")


def _refused(answer: Answer) -> AgentFailure:
    """A refusal; one that is about the input says so by its `error_code`, as an agent in a worker does."""
    failure = refusal(answer)
    if answer.status != requests.codes.bad_request:
        return failure
    try:
        body = json_of(answer)
    except ValueError:
        return failure
    own = body.get("error_code") if isinstance(body, Mapping) else None
    return replace(failure, code=FailureCode.INVALID_INPUT) if own == FailureCode.INVALID_INPUT else failure
