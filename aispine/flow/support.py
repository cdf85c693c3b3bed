"""What the language has and the engine does not run yet: refused when a flow is deployed, not when it is validated."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from aispine.flow.model import Flow, Node, NodeType
from aispine.flow.problem import Problem

NOT_YET: Final = frozenset({NodeType.TOOL})


def unsupported(flow: Flow, file: str = "flow.yaml") -> tuple[Problem, ...]:
    """A problem for every node of the flow that this version cannot run yet."""
    return tuple(_node(node, file) for node in _walk(flow.nodes) if node.type in NOT_YET)


def _walk(nodes: tuple[Node, ...]) -> Iterator[Node]:
    for node in nodes:
        yield node
        for body in node.bodies:
            yield from _walk(body)


def _node(node: Node, file: str) -> Problem:
    return Problem(
        code="not_yet",
        message=f"`{node.type}` nodes cannot run yet",
        file=file,
        line=node.position.line or None,
        column=node.position.column or None,
        node=node.id,
        hint="The file is valid; deploy it once a version that runs them is installed.",
    )
