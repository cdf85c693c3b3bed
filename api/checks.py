"""What the checks of agents' health found."""

from __future__ import annotations

from typing import Any

from aispine.agent import registry
from aispine.store import agent_health
from api import schemas
from api.access import access
from api.parts import principal, tenant_session
from api.resource import Resource

blueprint = Resource("checks", "What the checks of agents' health found.")


@blueprint.route("/<agent_id>/checks")
@access("key")
@blueprint.response(200, schemas.AgentChecks)
def show(agent_id: str) -> Any:
    """Show how an agent over HTTP stood at its last checks, the newest first; an agent that runs here has none."""
    with tenant_session() as session:
        agent = registry.show(session, principal().tenant_id, agent_id).agent
        row = agent_health.of_version(session, principal().tenant_id, agent_id, agent.version)
        return {
            "agent_id": agent_id,
            "version": agent.version,
            "ready": row.ready if row else None,
            "failures": row.failures if row else 0,
            "next_check_at": row.next_check_at if row else None,
            "checks": list(reversed(row.history)) if row else [],
        }
