"""Asking a model: one request under the guard, streamed where the provider does so."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass, replace
from http import HTTPStatus
from typing import Final

from aispine.flow.outcome import AgentFailure
from aispine.guards import http
from aispine.guards.answer import json_of
from aispine.guards.failures import CallError
from aispine.guards.http import Streamed
from aispine.guards.rules import Guard
from aispine.model import errors, stream
from aispine.model.chat import Model, Question, Turn, Usage, body
from aispine.model.errors import ModelError

_EVENTS: Final = "text/event-stream"


@dataclass(frozen=True, kw_only=True, slots=True)
class Call:
    """What one request may take: `seconds` and `limit` (bytes) in all; `key` names it for whoever may end it."""

    guard: Guard
    seconds: float
    limit: int
    api_key: str | None = None
    key: str | None = None


def ask(model: Model, question: Question, call: Call, told: Callable[[str], None] = lambda _: None) -> Turn:
    """The model's turn; `told` gets the text piece by piece as it comes. Raises `ModelError`."""
    content = json.dumps(body(model, question), ensure_ascii=False).encode()
    request = http.Request(
        method="POST",
        url=model.url,
        headers=_headers(call),
        body=content,
        seconds=call.seconds,
        limit=call.limit,
        key=call.key,
        callee="model",
    )
    try:
        with http.stream(request, call.guard) as answer:
            turn = _read(answer, told)
    except CallError as error:
        raise ModelError(AgentFailure(code=error.code, message=error.message)) from error
    return _checked(_counted(turn, len(content)))


def _headers(call: Call) -> dict[str, str]:
    headers = {"Content-Type": "application/json", "Accept": f"{_EVENTS}, application/json"}
    return headers | ({"Authorization": f"Bearer {call.api_key}"} if call.api_key else {})


def _read(answer: Streamed, told: Callable[[str], None]) -> Turn:
    if answer.status == HTTPStatus.OK and answer.headers.get("Content-Type", "").startswith(_EVENTS):
        return stream.read(answer.lines(), told)
    came = http.Answer(answer.status, answer.headers, answer.body())
    if answer.status != HTTPStatus.OK:
        raise ModelError(errors.refused(came))
    try:
        turn = stream.whole(json_of(came))
    except ValueError as error:
        raise stream.unusable(str(error)) from error
    told(turn.text)
    return turn


def _counted(turn: Turn, sent: int) -> Turn:
    """The turn with what the prompt took, where the provider told nothing."""
    if not turn.usage.estimated:
        return turn
    return replace(turn, usage=Usage(prompt=stream.guess(sent), completion=turn.usage.completion, estimated=True))


def _checked(turn: Turn) -> Turn:
    """Raises `ModelError` for a turn in which the model, or who watches over it, declined."""
    if turn.refusal:
        raise ModelError(errors.declined(errors.REFUSAL, f"the model refuses: {turn.refusal}"), turn.usage)
    if turn.finish == "content_filter":
        raise ModelError(errors.declined(errors.CONTENT_FILTER, "the provider filtered the model's answer"), turn.usage)
    return turn
