"""Building a node out of the values that its keys gave."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any, Final

from aispine.flow import secret
from aispine.flow.expression import Selection
from aispine.flow.model import (
    Approval,
    Choice,
    Fork,
    Join,
    Loop,
    Map,
    Node,
    NodeType,
    Position,
    Subflow,
    Wait,
)

Values = Mapping[str, Any]
Bodies = Sequence[tuple[Node, ...]]

_PLAIN: Final = (
    *("name", "description", "depends_on", "tool_id", "input", "output", "config", "metadata", "set"),
    *("retry", "timeout", "on_error", "error_output", "pool", "cache", "mutex", "terminate", "on_unready"),
)


def build_node(node_type: NodeType, position: Position, values: Values, *, bodies: Bodies) -> Node:
    """The node, with the default for whatever the values lack; a node with problems is built too."""
    agent_id, agent_version = values.get("agent_id", (None, "*"))
    extra = _BUILDERS[node_type](values, bodies) if node_type in _BUILDERS else {}
    return Node(
        id=values.get("id", ""),
        type=node_type,
        position=position,
        agent_id=agent_id,
        agent_version=agent_version,
        guard=values.get("conditions", ()),
        secrets=_secrets(values),
        **{name: values[name] for name in _PLAIN if name in values},
        **extra,
    )


def _secrets(values: Values) -> frozenset[str]:
    written = values["input"].references.secrets if "input" in values else frozenset()
    return written | secret.names(values.get("config", {}))


def _decision(values: Values, _: Bodies) -> dict[str, Any]:
    return {
        "choices": (
            Choice(label="then", when=values.get("condition"), then=values.get("then", ())),
            Choice(label="else", when=None, then=values.get("else", ())),
        )
    }


def _switch(values: Values, _: Bodies) -> dict[str, Any]:
    cases = tuple(
        Choice(label=f"cases[{index}]", when=case.get("when"), then=case.get("then", ()))
        for index, case in enumerate(values.get("cases", ()))
    )
    return {"choices": (*cases, Choice(label="default", when=None, then=values.get("default", ())))}


def _loop(values: Values, bodies: Bodies) -> dict[str, Any]:
    loop = Loop(
        max_iterations=values.get("max_iterations", 1),
        body=_sole(bodies),
        until=values.get("until"),
        while_=values.get("while"),
        **_given(values, "delay", "on_exhausted"),
    )
    return {"loop": loop}


def _map(values: Values, bodies: Bodies) -> dict[str, Any]:
    items = values.get("items") or Selection.parse("input")
    given = _given(values, "max_concurrency", "on_item_error", "complete_when")
    return {"map": Map(items=items, body=_sole(bodies), **given)}


def _fork(values: Values, bodies: Bodies) -> dict[str, Any]:
    names = values["branches"].members if "branches" in values else ()
    return {"fork": Fork(branches=dict(zip(names, bodies, strict=False)))}


def _join(values: Values, _: Bodies) -> dict[str, Any]:
    return {"join": Join(**_given(values, "strategy", "n", "score", "cancel_rest"))}


def _subflow(values: Values, _: Bodies) -> dict[str, Any]:
    return {"subflow": Subflow(flow_id=values.get("flow_id", ""), **_given(values, "version"))}


def _wait(values: Values, _: Bodies) -> dict[str, Any]:
    return {"wait": Wait(**_given(values, "seconds", "until", "signal", "on_timeout"))}


def _approval(values: Values, _: Bodies) -> dict[str, Any]:
    return {"approval": Approval(**_given(values, "form", "on_timeout"))}


def _given(values: Values, *names: str) -> dict[str, Any]:
    return {name: values[name] for name in names if name in values}


def _sole(bodies: Bodies) -> tuple[Node, ...]:
    return bodies[0] if bodies else ()


_BUILDERS: Final[Mapping[NodeType, Callable[[Values, Bodies], dict[str, Any]]]] = {
    NodeType.DECISION: _decision,
    NodeType.SWITCH: _switch,
    NodeType.LOOP: _loop,
    NodeType.MAP: _map,
    NodeType.FORK: _fork,
    NodeType.JOIN: _join,
    NodeType.SUBFLOW: _subflow,
    NodeType.WAIT: _wait,
    NodeType.APPROVAL: _approval,
}
