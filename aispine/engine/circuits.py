"""The circuits around calls that leave: of a flow's agents and tools, and as people see them."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

from sqlalchemy.orm import Session

from aispine.agent import registry
from aispine.agent.call import Called
from aispine.agent.contract import AgentRequest
from aispine.agent.definition import AgentVersion
from aispine.agent.llm import recipe
from aispine.errors import NotFound, Unavailable
from aispine.flow.outcome import AgentFailure, Ended
from aispine.guards.breaker import Breaker, Circuit, agent_name, model_name, tool_name
from aispine.model.chat import Model
from aispine.tool import registry as tools
from aispine.tool.definition import Tool


def around_agent(breaker: Breaker, agent: AgentVersion, request: AgentRequest, call: Callable[[], Called]) -> Called:
    """Calls an agent unless its circuit is open; what runs in this process has none."""
    if agent.kind == "python":
        return call()
    name = agent_name(request.tenant_id, agent.agent_id, agent.version)
    found = breaker.through(name, request.timeout, call, lambda called: called.outcome)
    return Called(outcome=found) if isinstance(found, AgentFailure) else found


def around_tool(breaker: Breaker, tool: Tool, tenant_id: str, call: Callable[[], Ended]) -> Ended:
    """Calls a tool unless its circuit is open."""
    return breaker.through(tool_name(tenant_id, tool.tool_id), tool.timeout or _LONGEST, call, lambda outcome: outcome)


_LONGEST: Final = 60.0
"""Seconds after which the probe of a tool that names no timeout is given up."""


def name_of_agent(session: Session, tenant_id: str, agent_id: str) -> str:
    """The name of the circuit of an agent's newest version. Raises `NotFound`."""
    agent = registry.show(session, tenant_id, agent_id).agent
    return agent_name(tenant_id, agent.agent_id, agent.version)


def name_of_tool(session: Session, tenant_id: str, tool_id: str) -> str:
    """The name of a tool's circuit. Raises `NotFound`."""
    return tool_name(tenant_id, tools.show(session, tenant_id, tool_id).tool.tool_id)


def models_of_agent(session: Session, tenant_id: str, agent_id: str) -> tuple[Model, ...]:
    """The models of an agent's newest version, the first asked first. Raises `NotFound` when it has none."""
    agent = registry.show(session, tenant_id, agent_id).agent
    if agent.llm is None:
        raise NotFound(f"agent {agent.agent_id} has no models: it is of the kind {agent.kind}")
    return tuple(choice.model for choice in recipe.of(agent.llm).choices)


def name_of_model(tenant_id: str, model: Model) -> str:
    """The name of a model's circuit, which all agents of the tenant that ask the model share."""
    return model_name(tenant_id, model.base_url, model.model)


def show(breaker: Breaker, name: str) -> Circuit:
    """How a circuit stands. Raises `Unavailable` without Redis."""
    found = breaker.show(name)
    if found is None:
        raise _away()
    return found


def reset(breaker: Breaker, name: str) -> None:
    """Closes a circuit. Raises `Unavailable` without Redis."""
    if not breaker.reset(name):
        raise _away()


def _away() -> Unavailable:
    return Unavailable("Redis does not answer, so no circuit is known", hint="Calls go through meanwhile.")
