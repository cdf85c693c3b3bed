"""Operations on executions: what people do to those that run, wait or have ended."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final

from flask import url_for
from marshmallow import INCLUDE

from aispine.engine import views
from aispine.engine.operations import Operations
from aispine.engine.rerun import SAME_INPUT, RerunRequest, rerun
from aispine.errors import InvalidRequest
from api import body, idempotency, schemas, starting
from api.access import access
from api.parts import parts, principal, tenant_session
from api.resource import Resource

blueprint = Resource("operations", "What people do to executions.")

_LONGEST_SIGNAL: Final = 200
_PAYLOAD: Final = {
    "description": "Any JSON value; nothing is null.",
    "content": {"application/json": {"schema": {}}},
}


@blueprint.route("/<execution_id>/cancel", methods=["POST"])
@access("key")
@blueprint.arguments(schemas.CancelRequest, required=False)
@blueprint.response(202, schemas.Execution)
def cancel(payload: dict[str, Any], execution_id: str) -> Any:
    """Cancel an execution and its nodes that have not ended; again is no error."""
    return _done(execution_id, lambda operations, by: operations.cancel(execution_id, payload["reason"], by))


@blueprint.route("/<execution_id>/pause", methods=["POST"])
@access("key")
@blueprint.response(202, schemas.Execution)
def pause(execution_id: str) -> Any:
    """Start nothing more in an execution and stop its timers; what runs may finish."""
    return _done(execution_id, lambda operations, by: operations.pause(execution_id, by))


@blueprint.route("/<execution_id>/resume", methods=["POST"])
@access("key")
@blueprint.response(202, schemas.Execution)
def resume(execution_id: str) -> Any:
    """Let a paused execution go on."""
    return _done(execution_id, lambda operations, by: operations.resume(execution_id, by))


@blueprint.route("/<execution_id>/retry", methods=["POST"])
@access("key")
@blueprint.response(202, schemas.Execution)
def retry(execution_id: str) -> Any:
    """Open an execution again that ended without success; what succeeded in it is kept."""
    return _done(execution_id, lambda operations, by: operations.retry(execution_id, by))


@blueprint.route("/<execution_id>/rerun", methods=["POST"])
@access("key")
@blueprint.doc(parameters=[idempotency.PARAMETER])
@blueprint.arguments(schemas.RerunRequest, required=False)
@blueprint.response(202, schemas.Execution)
def rerun_(payload: dict[str, Any], execution_id: str) -> Any:
    """Run an execution once more as a new one, from the start or from a chosen node, with another input if need be."""
    value = payload.get("input_data", SAME_INPUT)
    if value is not SAME_INPUT:
        body.check_size(value, parts().settings.max_value_bytes, "input_data")
    wanted = RerunRequest(execution_id=execution_id, from_node=payload["from_node"], input=value)
    return starting.answer(payload, lambda session: rerun(session, wanted))


@blueprint.route("/<execution_id>/signals/<name>", methods=["POST"])
@access("key")
@blueprint.doc(requestBody=_PAYLOAD)
@blueprint.response(202, schemas.Execution)
def signal(execution_id: str, name: str) -> Any:
    """Send a signal to an execution: the node that has waited for it longest takes it, else it is kept for the next."""
    if len(name) > _LONGEST_SIGNAL:
        raise InvalidRequest(f"The name of a signal has at most {_LONGEST_SIGNAL} characters", field="name")
    payload = body.read_optional_value()
    body.check_size(payload, parts().settings.max_value_bytes, "payload")
    return _done(execution_id, lambda operations, by: operations.signal(execution_id, name, payload, by))


@blueprint.route("/<execution_id>/approvals", methods=["POST"])
@access("key")
@blueprint.arguments(schemas.Answer, unknown=INCLUDE)
@blueprint.response(202, schemas.Execution)
def answer(payload: dict[str, Any], execution_id: str) -> Any:
    """Answer an approval that waits, by its path; the other fields are those of its form."""
    body.check_size(payload, parts().settings.max_value_bytes, "answer")
    values = {name: value for name, value in payload.items() if name != "path"}
    return _done(execution_id, lambda operations, by: operations.answer(execution_id, payload["path"], values, by=by))


def _done(execution_id: str, act: Callable[[Operations, str], None]) -> Any:
    """Does it to the execution in the name of who asks, and answers with what that is now."""
    tenant_id = principal().tenant_id
    act(Operations(dispatch=parts().dispatch(tenant_id), tenant_id=tenant_id), principal().name)
    with tenant_session() as session:
        changed = views.show(session, execution_id)
    return changed, {"Location": url_for("executions.show", execution_id=execution_id)}
