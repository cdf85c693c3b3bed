"""Callbacks: where an agent that has accepted posts its answer."""

from __future__ import annotations

from typing import Any, Final

from aispine.engine import callbacks
from api import body, schemas
from api.access import access
from api.parts import parts
from api.resource import Resource

blueprint = Resource("callbacks", "Answers of agents that have accepted.")
_ANSWER: Final = {
    "description": "What `POST /execute` would have answered: `status` is `success` with `output`, or `error`.",
    "required": True,
    "content": {"application/json": {"schema": {"type": "object", "required": ["status"]}}},
}


@blueprint.route("/<token>", methods=["POST"])
@access("token")
@blueprint.doc(requestBody=_ANSWER)
@blueprint.response(200, schemas.CalledBack)
def call_back(token: str) -> Any:
    """Post the answer of an agent that answered 202; the token in the path is good for one answer."""
    ticket = callbacks.read(token, parts().settings.encryption_keys)
    payload = body.read_object()
    body.check_size(payload, parts().settings.max_value_bytes, "output")
    after = callbacks.answer(parts().dispatch(ticket.tenant_id), ticket, payload)
    status = after.nodes[ticket.path].status
    return {"execution_id": ticket.execution_id, "path": ticket.path, "attempt": ticket.attempt, "status": status}
