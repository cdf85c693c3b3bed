"""Which queue serves a node."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from aispine.flow.model import Node, NodeType

QUEUES: Final = {"quick": "engine", "cpu": "cpu", "io": "io"}
"""The queue that serves each pool."""

TOOL: Final = "tool:"
"""What the keys of tools begin with, which no agent's does."""


LIMITS: Final = "limits"
"""Where an execution records, for each agent, what limits its calls: `[name, count, seconds]`."""
SLOTS: Final = "max_concurrency"
"""Where an execution records how many calls at once an agent takes, if that is limited."""


def agent_reference(spec: Node) -> str:
    """The key under which an execution records what a node calls: the version of an agent, or a tool."""
    return f"{spec.agent_id}@{spec.agent_version}" if spec.tool_id is None else f"{TOOL}{spec.tool_id}"


def queue_of(spec: Node, agents: Mapping[str, Mapping[str, Any]]) -> str:
    """The queue of a node that needs a worker: its own pool wins over its agent's; a subflow is started at once."""
    if spec.type is NodeType.SUBFLOW:
        return QUEUES["quick"]
    pool = spec.pool or agents[agent_reference(spec)]["pool"]
    return QUEUES[pool]


def is_limited(spec: Node, agents: Mapping[str, Mapping[str, Any]]) -> bool:
    """True for a node that may have to wait for its turn, so that no process goes on with it by itself."""
    return spec.makes_call and not {LIMITS, SLOTS}.isdisjoint(agents.get(agent_reference(spec), {}))
