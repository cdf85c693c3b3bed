"""Circuits of agents, models and tools: whether calls go through, and letting them."""

from __future__ import annotations

from typing import Any

from aispine.engine import circuits
from aispine.errors import NotFound
from aispine.guards.breaker import Circuit
from aispine.model.chat import Model
from api import paging, schemas
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


@of_agents.route("/<agent_id>/models")
@access("key")
@of_agents.response(200, schemas.AgentModelPage)
def models(agent_id: str) -> Any:
    """List the models of an llm agent, the first asked first, and whether calls of each go through."""
    found = enumerate(_models(agent_id), start=1)
    shown = [{"place": place, **_named(model), "circuit": _circuit(model)} for place, model in found]
    return paging.whole(shown)


@of_agents.route("/<agent_id>/models/<int:place>/circuit")
@access("key")
@of_agents.response(200, schemas.Circuit)
def show_of_model(agent_id: str, place: int) -> Any:
    """Show whether calls of a model of an llm agent, by its place from 1, go through."""
    return _circuit(_model(agent_id, place))


@of_agents.route("/<agent_id>/models/<int:place>/circuit", methods=["DELETE"])
@access("key")
@of_agents.response(204)
def reset_of_model(agent_id: str, place: int) -> None:
    """Let calls of a model go through again and forget that it failed, for all agents that ask it."""
    circuits.reset(parts().breaker, circuits.name_of_model(principal().tenant_id, _model(agent_id, place)))


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


def _models(agent_id: str) -> tuple[Model, ...]:
    with tenant_session() as session:
        return circuits.models_of_agent(session, principal().tenant_id, agent_id)


def _model(agent_id: str, place: int) -> Model:
    found = _models(agent_id)
    if not 1 <= place <= len(found):
        raise NotFound(f"agent {agent_id} has no model number {place}; it has {len(found)}")
    return found[place - 1]


def _named(model: Model) -> dict[str, str]:
    return {"model": model.model, "base_url": model.base_url}


def _circuit(model: Model) -> Circuit:
    return circuits.show(parts().breaker, circuits.name_of_model(principal().tenant_id, model))


def _tool(tool_id: str) -> str:
    with tenant_session() as session:
        return circuits.name_of_tool(session, principal().tenant_id, tool_id)
