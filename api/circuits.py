"""Circuits of agents and tools: whether calls go through, and letting them."""

from __future__ import annotations

from typing import Any

from aispine.engine import circuits
from api import schemas
from api.access import access
from api.parts import parts, principal, tenant_session
from api.resource import Resource

of_agents = Resource("circuits", "Circuits of agents that fail again and again.")
of_tools = Resource("tool-circuits", "Circuits of tools that fail again and again.")


@of_agents.route("/<agent_id>/circuit")
@access("key")
@of_agents.response(200, schemas.Circuit)
def show(agent_id: str) -> Any:
    """Show whether calls of an agent go through, or are kept back since it failed again and again."""
    return circuits.show(parts().breaker, _agent(agent_id))


@of_agents.route("/<agent_id>/circuit", methods=["DELETE"])
@access("key")
@of_agents.response(204)
def reset(agent_id: str) -> None:
    """Let calls of an agent go through again and forget that it failed."""
    circuits.reset(parts().breaker, _agent(agent_id))


@of_tools.route("/<tool_id>/circuit")
@access("key")
@of_tools.response(200, schemas.Circuit)
def show_of_tool(tool_id: str) -> Any:
    """Show whether calls of a tool go through, or are kept back since it failed again and again."""
    return circuits.show(parts().breaker, _tool(tool_id))


@of_tools.route("/<tool_id>/circuit", methods=["DELETE"])
@access("key")
@of_tools.response(204)
def reset_of_tool(tool_id: str) -> None:
    """Let calls of a tool go through again and forget that it failed."""
    circuits.reset(parts().breaker, _tool(tool_id))


def _agent(agent_id: str) -> str:
    with tenant_session() as session:
        return circuits.name_of_agent(session, principal().tenant_id, agent_id)


def _tool(tool_id: str) -> str:
    with tenant_session() as session:
        return circuits.name_of_tool(session, principal().tenant_id, tool_id)
