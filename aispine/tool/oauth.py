"""OAuth 2 client credentials: tokens of tools, kept in the process until shortly before they end."""

from __future__ import annotations

import threading
import time
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any, Final
from urllib.parse import quote_plus, urlencode

from aispine.flow.outcome import AgentFailure, FailureCode
from aispine.guards import http
from aispine.guards.answer import json_of, refusal
from aispine.guards.failures import CallError
from aispine.guards.rules import Guard
from aispine.tool.authorization import basic

SECONDS: Final = 15.0
LIMIT: Final = 100_000
EARLY: Final = 30.0
"""Seconds before its end from which a token is not used any more."""
UNTOLD: Final = 300.0
"""Seconds that a token is used whose answer says no end."""
_MOST: Final = 1024


class TokenError(Exception):
    """No token could be had; `failure` says why."""

    def __init__(self, failure: AgentFailure) -> None:
        super().__init__(failure.message)
        self.failure = failure


@dataclass(frozen=True, slots=True)
class _Token:
    text: str
    until: float


Key = tuple[str, ...]
_tokens: dict[Key, _Token] = {}
_locks: dict[Key, threading.Lock] = {}
_making = threading.Lock()


def token(tenant_id: str, auth: Mapping[str, Any], secret: str, guard: Guard, *, seconds: float) -> str:
    """The access token, from memory while it lives; of many threads one asks for it. Raises `TokenError`."""
    key = _key(tenant_id, auth, secret)
    with _lock(key):
        found = _tokens.get(key)
        if found is None or found.until <= time.monotonic():
            found = _tokens[key] = _ask(auth, secret, guard, min(seconds, SECONDS))
        return found.text


def forget(tenant_id: str, auth: Mapping[str, Any], secret: str) -> bool:
    """Drops a token that was refused; True when there was one."""
    return _tokens.pop(_key(tenant_id, auth, secret), None) is not None


def _key(tenant_id: str, auth: Mapping[str, Any], secret: str) -> Key:
    told = (str(auth.get(name, "")) for name in ("token_url", "client_id", "scope", "audience"))
    return (tenant_id, *told, secret)


def _lock(key: Key) -> threading.Lock:
    with _making:
        if len(_locks) > _MOST:
            _locks.clear()
            _tokens.clear()
        return _locks.setdefault(key, threading.Lock())


def _ask(auth: Mapping[str, Any], secret: str, guard: Guard, seconds: float) -> _Token:
    try:
        answer = http.send(_request(auth, secret, seconds), guard)
    except CallError as error:
        raise TokenError(_about(AgentFailure(code=error.code, message=error.message))) from error
    if answer.status != 200:
        raise TokenError(_about(refusal(answer, "token endpoint")))
    return _read(answer)


def _request(auth: Mapping[str, Any], secret: str, seconds: float) -> http.Request:
    form = {"grant_type": "client_credentials"}
    form |= {name: auth[name] for name in ("scope", "audience") if auth.get(name)}
    headers = {"Content-Type": "application/x-www-form-urlencoded"}
    if auth.get("client_auth") == "body":
        form |= {"client_id": auth["client_id"], "client_secret": secret}
    else:
        # RFC 6749 2.3.1 wants both encoded as in a form before they are joined.
        headers["Authorization"] = basic(quote_plus(auth["client_id"]), quote_plus(secret))
    return http.Request(
        method="POST",
        url=auth["token_url"],
        headers=headers,
        body=urlencode(form).encode(),
        seconds=seconds,
        limit=LIMIT,
        callee="token endpoint",
    )


def _read(answer: http.Answer) -> _Token:
    try:
        value = json_of(answer)
    except ValueError as error:
        raise TokenError(_unreadable(str(error))) from error
    text = value.get("access_token") if isinstance(value, Mapping) else None
    if not isinstance(text, str) or not text or not text.isascii() or not text.isprintable() or " " in text:
        raise TokenError(_unreadable("it has no `access_token`"))
    return _Token(text, time.monotonic() + _lives(value.get("expires_in")))


def _lives(seconds: Any) -> float:
    if isinstance(seconds, str) and seconds.isdigit():
        seconds = float(seconds)
    if not isinstance(seconds, int | float) or isinstance(seconds, bool):
        return UNTOLD
    return max(float(seconds) - EARLY, 0.0)


def _about(failure: AgentFailure) -> AgentFailure:
    return replace(failure, message=f"no token: {failure.message}")


def _unreadable(why: str) -> AgentFailure:
    message = f"no token: the token endpoint's answer cannot be used: {why}"
    return AgentFailure(code=FailureCode.INVALID_RESPONSE, message=message)
