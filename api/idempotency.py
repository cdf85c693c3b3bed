"""`Idempotency-Key`: the same request again gets the first answer again."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Final

from flask import request
from sqlalchemy.orm import Session

from aispine.errors import Conflict, IdempotencyMismatch, InvalidRequest
from aispine.store import idempotency
from aispine.store.idempotency import Scope

HEADER: Final = "Idempotency-Key"
REPLAYED: Final = "Idempotency-Replayed"
_LONGEST: Final = 255
PARAMETER: Final = {
    "name": HEADER,
    "in": "header",
    "schema": {"type": "string", "minLength": 1, "maxLength": _LONGEST},
    "description": "The same key and body within 24 hours answer with the same execution.",
}


@dataclass(frozen=True, kw_only=True, slots=True)
class Answer:
    """What to answer; `replayed` when an earlier request with the same key was answered so."""

    body: Any
    replayed: bool = False


def once(session: Session, tenant_id: str, payload: Any, status: int, make: Callable[[], Any]) -> Answer:
    """Calls `make` unless a request with the same key did; both commit together, or neither.

    Waits for a request with the same key that is in flight. Raises `InvalidRequest` for a malformed key and
    `IdempotencyMismatch` when the key came with another payload.
    """
    key = _key()
    if key is None:
        return Answer(body=make())
    scope = Scope(tenant_id=tenant_id, method=request.method, path=request.path, key=key)
    request_hash = _hash(payload)
    if not idempotency.claim(session, scope, request_hash):
        return _replay(session, scope, request_hash)
    body = make()
    idempotency.answer(session, scope, status, body)
    return Answer(body=body)


def _key() -> str | None:
    key = request.headers.get(HEADER)
    if key is not None and not (0 < len(key) <= _LONGEST and key.isascii() and key.isprintable()):
        message = f"`{HEADER}` must be 1 to {_LONGEST} printable ASCII characters"
        raise InvalidRequest(message, field=HEADER)
    return key


def _hash(payload: Any) -> str:
    return hashlib.sha256(json.dumps(payload, sort_keys=True, separators=(",", ":")).encode()).hexdigest()


def _replay(session: Session, scope: Scope, request_hash: str) -> Answer:
    row = idempotency.find(session, scope)
    if row is None or row.status is None:
        raise Conflict(f"A request with this `{HEADER}` is in flight", field=HEADER, hint="Try again.")
    if row.request_hash != request_hash:
        message = f"This `{HEADER}` was used with another body"
        raise IdempotencyMismatch(message, field=HEADER, hint="Use a new key for a new request.")
    return Answer(body=row.body, replayed=True)
