"""One call of a tool: its input checked, asked under the guard, and its answer checked."""

from __future__ import annotations

import json
import time
from collections.abc import Mapping
from dataclasses import fields, replace
from http import HTTPStatus
from typing import Any, Final

from aispine.errors import AISpineError, InvalidInput
from aispine.flow.inputs import check_value
from aispine.flow.jsonvalue import normal
from aispine.flow.outcome import AgentFailure, Ended, FailureCode
from aispine.guards import http, rules
from aispine.guards.answer import json_of, refusal
from aispine.guards.failures import CallError
from aispine.guards.rules import Guard
from aispine.secrets import Opened
from aispine.settings import Settings
from aispine.tool import authorization, contract, oauth
from aispine.tool.contract import Question
from aispine.tool.definition import Tool, ToolRequest
from aispine.tool.endpoint import Unfillable

SHORTEST_HIDDEN: Final = 6
"""A shorter secret would be found by chance all over what a tool says."""


def call(tool: Tool, request: ToolRequest, settings: Settings, guard: Guard | None = None) -> Ended:
    """Calls the tool once. Every way in which that can fail is an `AgentFailure`, never an exception.

    `guard` says where the call may go; None is the deployment's.
    """
    try:
        if tool.input_schema is not None:
            check_value(tool.input_schema, request.input)
        asked = contract.question(tool, request)
    except (InvalidInput, Unfillable) as error:
        message = error.message if isinstance(error, InvalidInput) else str(error)
        return AgentFailure(code=FailureCode.INVALID_INPUT, message=message, detail=_misfits(error))
    caller = _Caller(tool, request, settings, guard)
    answer = caller.ask(asked)
    return caller.without_secrets(
        answer if isinstance(answer, AgentFailure) else _checked(tool, _outcome(tool, answer))
    )


def fetch(tool: Tool, request: ToolRequest, asked: Question, settings: Settings) -> Any:
    """The JSON that a tool answers to any question, or an `AgentFailure`."""
    answer = _Caller(tool, request, settings).ask(asked)
    if isinstance(answer, AgentFailure):
        return answer
    if answer.status != HTTPStatus.OK:
        return refusal(answer, "tool")
    try:
        return json_of(answer)
    except ValueError as error:
        return AgentFailure(code=FailureCode.INVALID_RESPONSE, message=f"the answer cannot be used: {error}")


class _Caller:
    """One call on its way, with the time that is left of it."""

    def __init__(self, tool: Tool, request: ToolRequest, settings: Settings, guard: Guard | None = None) -> None:
        self._tool = tool
        self._request = request
        self._settings = settings
        self._guard = guard or rules.of(settings)
        self._until = time.monotonic() + request.timeout
        self._told: dict[str, str] = {}

    def ask(self, asked: Question) -> http.Answer | AgentFailure:
        """Asks, a second time with a new token when the first one was refused."""
        try:
            answer = self._send(asked)
            if answer.status == HTTPStatus.UNAUTHORIZED and self._forget_token():
                answer = self._send(asked)
        except CallError as error:
            return AgentFailure(code=error.code, message=error.message)
        except oauth.TokenError as error:
            return error.failure
        except AISpineError as error:
            return AgentFailure(code=FailureCode.REJECTED, message=error.message)
        return answer

    def without_secrets(self, outcome: Ended) -> Ended:
        """What came of the call without the secrets that it took: a tool may say what it was told."""
        long = {name: secret for name, secret in self._told.items() if len(secret) >= SHORTEST_HIDDEN}
        if not long:
            return outcome
        hide = Opened(values=long).hide
        return replace(outcome, **{field.name: hide(getattr(outcome, field.name)) for field in fields(outcome)})

    def _send(self, asked: Question) -> http.Answer:
        headers = {"Accept": "application/json, text/*;q=0.5", **asked.headers, **self._who()}
        request = http.Request(
            method=asked.method,
            url=asked.url,
            headers=headers,
            body=asked.body,
            seconds=self._left,
            limit=self._settings.max_response_bytes,
            key=self._request.key,
            callee="tool",
        )
        return http.send(request, self._guard)

    @property
    def _left(self) -> float:
        return max(self._until - time.monotonic(), 0.001)

    def _who(self) -> dict[str, str]:
        auth, secrets = self._tool.auth, self._secrets()
        if auth["type"] != "oauth2":
            return authorization.headers(auth, secrets)
        tenant_id, secret = self._request.tenant_id, secrets["client_secret"]
        token = oauth.token(tenant_id, auth, secret, self._guard, seconds=self._left)
        self._told["access_token"] = token
        return {"Authorization": f"Bearer {token}"}

    def _forget_token(self) -> bool:
        auth = self._tool.auth
        if auth["type"] != "oauth2":
            return False
        return oauth.forget(self._request.tenant_id, auth, self._secrets()["client_secret"])

    def _secrets(self) -> dict[str, str]:
        self._told |= (found := opened(self._tool.credential, self._settings))
        return found


def opened(sealed: str | None, settings: Settings) -> dict[str, str]:
    """What is secret in a tool's `auth_config`. Raises `InvalidRequest` when no key of the settings opens it."""
    if sealed is None:
        return {}
    from aispine.secrets import sealing

    found: dict[str, str] = json.loads(sealing.open_(sealed, settings.encryption_keys))
    return found


def _outcome(tool: Tool, answer: http.Answer) -> Ended:
    if not HTTPStatus.OK <= answer.status < HTTPStatus.MULTIPLE_CHOICES:
        return refusal(answer, "tool")
    try:
        return contract.read(tool, answer.status, _value(answer))
    except ValueError as error:
        message = f"the tool's answer cannot be used: {error}"
        return AgentFailure(code=FailureCode.INVALID_RESPONSE, message=message)


def _value(answer: http.Answer) -> Any:
    """The JSON of an answer, its text when it says that it is one, None when it is empty."""
    if not answer.body:
        return None
    if answer.headers.get("Content-Type", "").strip().lower().startswith("text/"):
        return normal(answer.body.decode("utf-8"))
    return json_of(answer)


def _checked(tool: Tool, outcome: Ended) -> Ended:
    if tool.output_schema is None or isinstance(outcome, AgentFailure):
        return outcome
    try:
        check_value(tool.output_schema, outcome.output, "output")
    except InvalidInput as error:
        message = f"the output does not fit the output_schema: {error.message}"
        return AgentFailure(code=FailureCode.INVALID_RESPONSE, message=message, detail=_misfits(error))
    return outcome


def _misfits(error: Exception) -> Mapping[str, Any] | None:
    errors = error.errors if isinstance(error, InvalidInput) else ()
    return {"misfits": [f"{each['path']}: {each['message']}" for each in errors[:10]]} if errors else None
