"""Tools: what flows and models can call over HTTP."""

from __future__ import annotations

import time
from http import HTTPStatus
from typing import Any, Final

from flask import url_for

from aispine.audit import Caller, Journal
from aispine.engine import auditing
from aispine.flow.outcome import AgentFailure, Ended
from aispine.store.ids import new_id
from aispine.tool import registry
from aispine.tool.definition import Tool, ToolRequest
from api import body, paging, schemas
from api.access import access
from api.parts import parts, principal, tenant_session
from api.resource import Resource

blueprint = Resource("tools", "Calls over HTTP that flows and models can make.")


def _registration(*required: str) -> dict[str, Any]:
    text, schema = {"type": "string"}, {"type": "object"}
    properties = {
        "tool_id": text,
        "endpoint": {"type": "string", "description": "`{name}` in it is a member of the input."},
        "name": text,
        "description": text,
        "contract": {"type": "string", "enum": ["http", "execute"]},
        "method": text,
        "headers": schema,
        "input_schema": schema,
        "output_schema": schema,
        "auth_config": {"type": "object", "description": "What is secret in it is kept encrypted and never shown."},
        "timeout": {"type": "number"},
    }
    form = {"type": "object", "required": list(required), "properties": properties}
    return {"required": True, "content": {"application/json": {"schema": form}}}


@blueprint.route("", methods=["GET"])
@access("key")
@blueprint.arguments(schemas.PageQuery, location="query")
@blueprint.response(200, schemas.ToolPage)
def list_tools(query: dict[str, Any]) -> Any:
    """List the tools by their ids."""
    limit, after = query["limit"], paging.decode(query.get("cursor"))
    with tenant_session() as session:
        found = registry.list_tools(session, principal().tenant_id, after=after or "", limit=limit + 1)
    page = paging.page(found, limit, "tool_id")
    return {**page, "data": [each.as_dict() for each in page["data"]]}


@blueprint.route("", methods=["POST"])
@access("key")
@blueprint.doc(requestBody=_registration("tool_id", "endpoint"))
@blueprint.response(201, schemas.Tool)
def create() -> Any:
    """Register a tool."""
    values = body.read_object()
    with tenant_session() as session:
        found = registry.create(session, principal().tenant_id, values, parts().settings)
    where = url_for("tools.show", tool_id=found.tool_id)
    return found.as_dict(), HTTPStatus.CREATED, {"Location": where}


@blueprint.route("/<tool_id>", methods=["GET"])
@access("key")
@blueprint.response(200, schemas.Tool)
def show(tool_id: str) -> Any:
    """Show a tool."""
    with tenant_session() as session:
        return registry.show(session, principal().tenant_id, tool_id).as_dict()


@blueprint.route("/<tool_id>", methods=["PUT"])
@access("key")
@blueprint.doc(requestBody=_registration())
@blueprint.response(200, schemas.Tool)
def update(tool_id: str) -> Any:
    """Change what is registered about a tool; what is left out stays, null forgets it."""
    values = body.read_object()
    with tenant_session() as session:
        return registry.update(session, principal().tenant_id, tool_id, values, parts().settings).as_dict()


@blueprint.route("/<tool_id>", methods=["DELETE"])
@access("key")
@blueprint.response(204)
def delete(tool_id: str) -> Any:
    """Delete a tool, unless an execution may still call it."""
    with tenant_session() as session:
        registry.delete(session, principal().tenant_id, tool_id)


LONGEST: Final = 60.0
"""Seconds for which a request may hold its thread while a tool works."""


@blueprint.route("/<tool_id>/execute", methods=["POST"])
@access("key")
@blueprint.arguments(schemas.ToolCall)
@blueprint.response(200, schemas.ToolOutcome)
def execute(payload: dict[str, Any], tool_id: str) -> Any:
    """Call a tool once, outside of any flow; a tool that fails is an answer with `status: error`."""
    from aispine.tool.call import call  # Here, since most web processes never call one.

    tenant_id, settings = principal().tenant_id, parts().settings
    body.check_size(payload["input_data"], settings.max_value_bytes, "input_data")
    with tenant_session() as session:
        tool = registry.show(session, tenant_id, tool_id).tool
    seconds = payload.get("timeout") or min(tool.timeout or settings.node_timeout, LONGEST)
    begun = time.monotonic()
    journal = Journal(parts().store, tenant_id=tenant_id)
    caller = Caller(tenant_id=tenant_id, name=f"key:{principal().name}")
    request = _request(tenant_id, tool, payload, seconds)
    outcome = auditing.around_tool(journal, caller, tool, lambda: call(tool, request, settings))
    journal.flush()
    return _present(outcome) | {"tool_id": tool_id, "duration_ms": int((time.monotonic() - begun) * 1000)}


def _request(tenant_id: str, tool: Tool, payload: dict[str, Any], seconds: float) -> ToolRequest:
    return ToolRequest(
        tenant_id=tenant_id,
        execution_id=payload.get("execution_id") or new_id(),
        node_id=tool.tool_id,
        input=payload["input_data"],
        config=payload["config"],
        files=payload["files"],
        timeout=seconds,
        idempotency_key=new_id(),
    )


def _present(outcome: Ended) -> dict[str, Any]:
    if isinstance(outcome, AgentFailure):
        error = {"code": str(outcome.code), "message": outcome.message, "detail": outcome.detail}
        return {"status": "error", "output": None, "metadata": {}, "error": error}
    return {"status": "success", "output": outcome.output, "metadata": dict(outcome.metadata), "error": None}
