"""Requests that start an execution: stored once for each `Idempotency-Key`, announced after the commit."""

from __future__ import annotations

from collections.abc import Callable
from http import HTTPStatus
from typing import Any, Final

from flask import jsonify, url_for
from sqlalchemy.orm import Session

from aispine.engine import views
from aispine.engine.start import announce
from aispine.store.models import ExecutionRow
from api import idempotency, schemas
from api.parts import principal, tenant_session

_execution: Final = schemas.Execution()


def answer(payload: Any, start: Callable[[Session], ExecutionRow]) -> Any:
    """Starts what `start` adds, unless a request with the same key did; answers 202 with the execution."""

    def make() -> Any:
        return _execution.dump(views.begun(session, start(session)))

    with tenant_session() as session:
        found = idempotency.once(session, principal().tenant_id, payload, HTTPStatus.ACCEPTED, make)
    sent = {"Location": url_for("executions.show", execution_id=found.body["execution_id"])}
    if found.replayed:
        sent[idempotency.REPLAYED] = "true"
    else:
        announce(found.body["execution_id"], found.body["flow_id"])
    return jsonify(found.body), HTTPStatus.ACCEPTED, sent
