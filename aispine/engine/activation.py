"""What happens when all edges of a node are settled: it is skipped, evaluated in place, or queued."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import timedelta
from typing import Any, Final

from aispine.engine import scope
from aispine.engine.ending import complete, expression_error, fail, skip
from aispine.engine.ledger import Ledger
from aispine.engine.terms import Terms
from aispine.errors import ExpressionError
from aispine.flow.model import Node, NodeType
from aispine.flow.plan import EdgeKind, in_place
from aispine.flow.references import References
from aispine.flow.status import NodeStatus

QUEUES: Final = {"quick": "engine", "cpu": "cpu", "io": "io"}
"""The queue that serves each pool."""


def resolve(ledger: Ledger, path: str, terms: Terms) -> None:
    """Decides about a node whose incoming edges are all settled."""
    node = ledger.node(path)
    if node.blocked:
        return
    edges = ledger.plan.graph.incoming[path]
    controlled = any(edge.kind is EdgeKind.CONTROL for edge in edges)
    if (node.live_control if controlled else node.live_dependency) == 0:
        skip(ledger, path, "no live edge")
    else:
        activate(ledger, path, terms)


def activate(ledger: Ledger, path: str, terms: Terms) -> None:
    """Evaluates a node in place, or queues it with its input for a worker."""
    spec = ledger.spec(path)
    try:
        if not _guarded(ledger, path, spec):
            skip(ledger, path, "guard")
        elif in_place(spec):
            _evaluate(ledger, path, spec)
        else:
            _enqueue(ledger, path, spec, terms)
    except ExpressionError as error:
        fail(ledger, path, expression_error(ledger.node(path), error))


def agent_reference(spec: Node) -> str:
    """The key under which an execution records the agent version that a node calls."""
    return f"{spec.agent_id}@{spec.agent_version}"


def queue_of(spec: Node, agents: Mapping[str, Mapping[str, Any]]) -> str:
    """The queue of a node that calls an agent: its own pool wins over the agent's."""
    pool = spec.pool or agents[agent_reference(spec)]["pool"]
    return QUEUES[pool]


def _guarded(ledger: Ledger, path: str, spec: Node) -> bool:
    return all(condition.evaluate(scope.scope(ledger, path, condition.references)) for condition in spec.guard)


def _evaluate(ledger: Ledger, path: str, spec: Node) -> None:
    value = _input(ledger, path, spec)
    if spec.type in {NodeType.DECISION, NodeType.SWITCH}:
        complete(ledger, path, value, state={"chosen": _choose(ledger, path, spec)})
    elif spec.output is not None and spec.type in {NodeType.TRANSFORM, NodeType.OUTPUT}:
        complete(ledger, path, _render(ledger, path, spec.output))
    else:
        complete(ledger, path, value)


def _choose(ledger: Ledger, path: str, spec: Node) -> str | None:
    """The label of the first choice that holds, None when no choice does."""
    for choice in spec.choices:
        if choice.when is None or choice.when.evaluate(scope.scope(ledger, path, choice.when.references)):
            return choice.label
    return None


def _enqueue(ledger: Ledger, path: str, spec: Node, terms: Terms) -> None:
    ledger.change(
        path,
        status=NodeStatus.QUEUED,
        queue=queue_of(spec, ledger.execution.agents),
        input=_as_object(_agent_input(ledger, path, spec)),
        queued_at=ledger.now,
        due_at=ledger.now + timedelta(seconds=terms.lost_after),
    )
    ledger.queue(path)


def _agent_input(ledger: Ledger, path: str, spec: Node) -> Any:
    if spec.input is None:
        error = scope.sole_error(ledger, path)
        if error is not None:
            return {"error": error}
    return _input(ledger, path, spec)


def _input(ledger: Ledger, path: str, spec: Node) -> Any:
    return _render(ledger, path, spec.input) if spec.input is not None else scope.arriving(ledger, path)


def _render(ledger: Ledger, path: str, template: Any) -> Any:
    references: References = template.references
    return template.render(scope.scope(ledger, path, references))


def _as_object(value: Any) -> Any:
    """The agent contract takes an object: nothing becomes an empty one, anything else goes under `value`."""
    if value is None:
        return {}
    return value if isinstance(value, Mapping) else {"value": value}
