"""How versions of agents stand: shown, changed, and what their calls came to."""

from __future__ import annotations

from typing import Any

from aispine.access import GOVERN
from aispine.agent import standing
from aispine.agent.standing import Governor
from aispine.engine import call_figures
from aispine.flow.standing import AgentStatus
from api import paging, schemas
from api.access import access
from api.parts import principal, tenant_session
from api.resource import Resource

blueprint = Resource("standings", "How versions of agents stand.")


@blueprint.route("/<agent_id>/versions")
@access("key")
@blueprint.response(200, schemas.AgentVersionPage)
def versions(agent_id: str) -> Any:
    """List every version of an agent, retired ones too, and how each stands."""
    with tenant_session() as session:
        return paging.whole(standing.versions(session, principal().tenant_id, agent_id))


@blueprint.route("/<agent_id>/metrics")
@access("key")
@blueprint.arguments(schemas.MetricsQuery, location="query")
@blueprint.response(200, schemas.AgentMetrics)
def metrics(query: dict[str, Any], agent_id: str) -> Any:
    """Show what the tenant's calls of an agent came to, by version."""
    with tenant_session() as session:
        found = call_figures.show(session, principal().tenant_id, agent_id, query["days"])
    return {"agent_id": agent_id, "days": query["days"], "versions": found}


@blueprint.route("/<agent_id>/suspend", methods=["POST"])
@access("key")
@blueprint.arguments(schemas.StandingRequest, required=False)
@blueprint.response(200, schemas.AgentVersionPage)
def suspend(payload: dict[str, Any], agent_id: str) -> Any:
    """Let no version of an agent, or not this one, be called: its nodes wait or fail as their flow says."""
    return _moved(agent_id, AgentStatus.SUSPENDED, payload)


@blueprint.route("/<agent_id>/activate", methods=["POST"])
@access("key")
@blueprint.arguments(schemas.StandingRequest, required=False)
@blueprint.response(200, schemas.AgentVersionPage)
def activate(payload: dict[str, Any], agent_id: str) -> Any:
    """Let the suspended versions of an agent, or this version, be called again; or a draft for the first time."""
    return _moved(agent_id, AgentStatus.ACTIVE, payload)


@blueprint.route("/<agent_id>/status", methods=["POST"])
@access("key")
@blueprint.arguments(schemas.StatusRequest)
@blueprint.response(200, schemas.AgentVersionPage)
def change(payload: dict[str, Any], agent_id: str) -> Any:
    """Lead a version of an agent from one status to another: hand a draft in, test it, verify it."""
    return _moved(agent_id, AgentStatus(payload["status"]), payload)


@blueprint.route("/<agent_id>/deprecate", methods=["POST"])
@access("key")
@blueprint.arguments(schemas.DeprecationRequest, required=False)
@blueprint.response(200, schemas.AgentVersionPage)
def deprecate(payload: dict[str, Any], agent_id: str) -> Any:
    """Say of an agent, or of one version, that flows should use another; it is still called."""
    with tenant_session() as session:
        changed = standing.deprecate(
            session,
            _governor(),
            agent_id,
            version=payload["version"],
            message=payload["reason"],
            wanted=payload["deprecated"],
            owner=payload["tenant_id"],
        )
    return paging.whole(changed)


def _moved(agent_id: str, after: AgentStatus, payload: dict[str, Any]) -> Any:
    with tenant_session() as session:
        named = {"version": payload["version"], "reason": payload["reason"], "owner": payload["tenant_id"]}
        moved = standing.move(session, _governor(), agent_id, after, **named)
    return paging.whole(moved)


def _governor() -> Governor:
    asks = principal()
    return Governor(tenant_id=asks.tenant_id, platform=GOVERN in asks.permissions)
