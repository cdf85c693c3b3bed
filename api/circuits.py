"""Circuits of agents: whether calls go through, and letting them."""

from __future__ import annotations

from typing import Any

from aispine.engine import circuits
from api import schemas
from api.access import access
from api.parts import parts, principal, tenant_session
from api.resource import Resource

blueprint = Resource("circuits", "Circuits of agents that fail again and again.")


@blueprint.route("/<agent_id>/circuit")
@access("key")
@blueprint.response(200, schemas.Circuit)
def show(agent_id: str) -> Any:
    """Show whether calls of an agent go through, or are kept back since it failed again and again."""
    with tenant_session() as session:
        return circuits.show(session, parts().breaker, principal().tenant_id, agent_id)


@blueprint.route("/<agent_id>/circuit", methods=["DELETE"])
@access("key")
@blueprint.response(204)
def reset(agent_id: str) -> None:
    """Let calls of an agent go through again and forget that it failed."""
    with tenant_session() as session:
        circuits.reset(session, parts().breaker, principal().tenant_id, agent_id)
