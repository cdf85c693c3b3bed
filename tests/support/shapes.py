"""Small flows that tests run, as mappings to deploy."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any


def flow(flow_id: str, *nodes: Mapping[str, Any], **keys: Any) -> dict[str, Any]:
    return {"flow_id": flow_id, "version": "1.0.0", "name": flow_id, "nodes": list(nodes), **keys}


def echo(node_id: str, *depends_on: str, config: Mapping[str, Any] | None = None, **keys: Any) -> dict[str, Any]:
    """A node that calls the agent `echo`."""
    return agent(node_id, "echo", *depends_on, config=dict(config or {}), **keys)


def agent(node_id: str, agent_id: str, *depends_on: str, **keys: Any) -> dict[str, Any]:
    return {"id": node_id, "type": "processor", "agent_id": agent_id, "depends_on": list(depends_on), **keys}


def says(value: Any) -> dict[str, Any]:
    """The configuration under which `echo` returns the value."""
    return {"output": value}


def fan(flow_id: str, width: int, **keys: Any) -> dict[str, Any]:
    """Independent nodes `b0`... and the node `join` after all of them."""
    names = [f"b{index}" for index in range(width)]
    return flow(flow_id, *(echo(name, **keys) for name in names), echo("join", *names))


def line(flow_id: str, names: Iterable[str], **keys: Any) -> dict[str, Any]:
    """Nodes one after the other."""
    nodes: list[dict[str, Any]] = []
    for name in names:
        nodes.append(echo(name, *(node["id"] for node in nodes[-1:]), **keys))
    return flow(flow_id, *nodes)
