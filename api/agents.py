"""Agents: what flows can call."""

from __future__ import annotations

import json
from http import HTTPStatus
from typing import Any, Final

from flask import url_for
from sqlalchemy.orm import Session

from aispine.agent import finding, registry
from aispine.agent.contract import AgentFailure, Health
from aispine.agent.llm import registration
from aispine.agent.record import Registered
from aispine.errors import InvalidRequest
from aispine.flow.standing import AgentStatus
from api import body, paging, schemas
from api.access import access
from api.parts import parts, principal, tenant_session
from api.resource import Resource

blueprint = Resource("agents", "Agents that flows can call.")

_NEW: Final = (AgentStatus.ACTIVE, AgentStatus.DRAFT)
"""The statuses in which a version may begin."""
_REGISTRATION: Final = {
    "required": True,
    "description": "The definition of an agent that answers over HTTP, of which what is left out is taken from its "
    "`/health`; or, with `kind: llm`, of one that is a language model.",
    "content": {
        "application/json": {
            "schema": {
                "type": "object",
                "properties": {
                    "kind": {"type": "string", "enum": ["http", "llm"]},
                    "status": {
                        "type": "string",
                        "enum": list(_NEW),
                        "description": "Of a new version: `active`, or `draft`, which no flow finds yet.",
                    },
                    "endpoint": {"type": "string", "format": "uri"},
                    "api_key": {"type": "string", "description": "Sent as the bearer's key; kept encrypted."},
                    "agent_id": {"type": "string"},
                    "version": {"type": "string"},
                    "name": {"type": "string"},
                    "description": {"type": "string"},
                    "capabilities": {"type": "array", "items": {"type": "string"}},
                    "timeout": {"type": "number"},
                    "input_schema": {"type": "object"},
                    "output_schema": {"type": "object"},
                    "models": {
                        "type": "array",
                        "items": {"type": "object"},
                        "description": "Of `llm`; docs/models.md.",
                    },
                    "system": {"type": "string"},
                    "prompt": {"type": "string"},
                    "tools": {"type": "array", "items": {"type": "string"}},
                    "max_steps": {"type": "integer"},
                    "budget": {"type": "object"},
                },
            }
        }
    },
}


@blueprint.route("", methods=["GET"])
@access("key")
@blueprint.arguments(schemas.AgentQuery, location="query")
@blueprint.response(200, schemas.AgentPage)
def list_agents(query: dict[str, Any]) -> Any:
    """List and search the agents that the tenant can see: its own and the platform's; with `q` the best come first."""
    with tenant_session() as session:
        found = finding.find(session, principal().tenant_id, _wanted(query))
    after = _place(query.get("cursor"))
    rest = [each for each in found if after is None or each.place > after]
    limit = query["limit"]
    cursor = paging.encode(json.dumps(rest[limit - 1].place)) if len(rest) > limit else None
    return {"data": [_present(each.registered) for each in rest[:limit]], "next_cursor": cursor}


def _wanted(query: dict[str, Any]) -> finding.Wanted:
    named = {name: query.get(name) for name in ("kind", "type", "status", "pool", "official")}
    words = (query.get("q") or "").strip() or None
    return finding.Wanted(words=words, capabilities=tuple(query["capability"]), **named)


def _place(cursor: str | None) -> tuple[float, str] | None:
    decoded = paging.decode(cursor)
    if decoded is None:
        return None
    try:
        rank, agent_id = json.loads(decoded)
        return float(rank), str(agent_id)
    except (ValueError, TypeError):
        raise InvalidRequest("`cursor` is not one that this API gave", field="cursor") from None


def _present(registered: Registered) -> dict[str, Any]:
    return registered.as_dict() | {"created_at": schemas.timestamp(registered.created_at)}


@blueprint.route("", methods=["POST"])
@access("key")
@blueprint.doc(requestBody=_REGISTRATION)
@blueprint.response(201, schemas.Agent)
def register() -> Any:
    """Register an agent that answers over HTTP, after asking it for its health, or one that is a language model."""
    values = body.read_object()
    with tenant_session() as session:
        registered = _registered(session, principal().tenant_id, values)
    where = url_for("agents.show", agent_id=registered.agent.agent_id)
    return _present(registered), HTTPStatus.CREATED, {"Location": where}


def _registered(session: Session, tenant_id: str, values: dict[str, Any]) -> Registered:
    status = _first_status(values.get("status", AgentStatus.ACTIVE))
    values = {name: value for name, value in values.items() if name != "status"}
    if values.get("kind") == "llm":
        return registration.register(session, tenant_id, values, status=status)
    given = {name: value for name, value in values.items() if (name, value) != ("kind", "http")}
    return registry.register_http(session, tenant_id, given, parts().settings, status=status)


def _first_status(given: Any) -> AgentStatus:
    status = next((status for status in _NEW if status == given), None)
    if status is None:
        raise InvalidRequest(f"`status` of a new version is {' or '.join(_NEW)}", field="status")
    return status


@blueprint.route("/<agent_id>", methods=["GET"])
@access("key")
@blueprint.response(200, schemas.Agent)
def show(agent_id: str) -> Any:
    """Show an agent with its newest version."""
    with tenant_session() as session:
        return _present(registry.show(session, principal().tenant_id, agent_id))


@blueprint.route("/<agent_id>", methods=["PUT"])
@access("key")
@blueprint.doc(requestBody=_REGISTRATION)
@blueprint.response(200, schemas.Agent)
def update(agent_id: str) -> Any:
    """Change what is registered about an agent; what is left out stays."""
    values = body.read_object()
    with tenant_session() as session:
        return _present(registry.update(session, principal().tenant_id, agent_id, values, parts().settings))


@blueprint.route("/<agent_id>", methods=["DELETE"])
@access("key")
@blueprint.response(204)
def delete(agent_id: str) -> Any:
    """Delete an agent with its versions, unless an execution still needs it."""
    with tenant_session() as session:
        registry.delete(session, principal().tenant_id, agent_id)


@blueprint.route("/<agent_id>/health", methods=["GET"])
@access("key")
@blueprint.response(200, schemas.AgentHealth)
def health(agent_id: str) -> Any:
    """Ask an agent how it is."""
    with tenant_session() as session:
        agent = registry.show(session, principal().tenant_id, agent_id).agent
    answer = registry.check_health(agent, parts().settings)
    known = {"agent_id": agent.agent_id, "version": agent.version, "endpoint": agent.endpoint}
    return known | (_failed(answer) if isinstance(answer, AgentFailure) else _well(answer))


def _failed(answer: AgentFailure) -> dict[str, Any]:
    return {"ready": False, "capabilities": [], "error": {"code": answer.code, "message": answer.message}}


def _well(answer: Health) -> dict[str, Any]:
    return {
        "version": answer.version,
        "ready": answer.ready,
        "capabilities": answer.capabilities,
        "rate_limit": dict(answer.rate_limit),
        "max_concurrency": answer.max_concurrency,
        "error": None,
    }
