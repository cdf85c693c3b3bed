"""What happens when all edges of a node are settled: it is skipped, evaluated in place, opened, or queued."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import timedelta
from typing import Any

from aispine.engine import containers, joins, scope, waits
from aispine.engine.ending import BLOCKED, GUARD, NO_LIVE_EDGE, complete, end_execution, expression_error, fail, skip
from aispine.engine.ledger import Ledger
from aispine.engine.queueing import queue_of
from aispine.engine.terms import Terms
from aispine.errors import ExpressionError
from aispine.flow import paths
from aispine.flow.expression import Template
from aispine.flow.model import Node, NodeType
from aispine.flow.plan import CONTAINERS, FAIL, WAITS, EdgeKind, in_place
from aispine.flow.status import ExecutionStatus, NodeStatus


def resolve(ledger: Ledger, path: str, terms: Terms) -> None:
    """Decides about a node whose edges may all be settled; one that is not ready, or past that, stays as it is."""
    if _is_over(ledger, path):
        return
    node, spec = ledger.node(path), ledger.spec(path)
    if waits.has_its_turn(ledger, path, node):
        activate(ledger, path, terms)
        return
    if node.status is not NodeStatus.PENDING:
        return
    if spec.join is not None:
        joins.resolve(ledger, path, spec.join)
    elif node.unsettled:
        return
    elif node.blocked:
        skip(ledger, path, BLOCKED)
    elif _is_live(ledger, path, node.live_control, node.live_dependency):
        activate(ledger, path, terms)
    else:
        skip(ledger, path, NO_LIVE_EDGE)


def activate(ledger: Ledger, path: str, terms: Terms) -> None:
    """Sets a node going."""
    spec = ledger.spec(path)
    try:
        if not scope.holds(ledger, path, spec.guard):
            skip(ledger, path, GUARD)
        elif spec.mutex is not None and not ledger.acquire(spec.mutex, path):
            waits.stand_in_line(ledger, path, spec.mutex)
        elif in_place(spec):
            _evaluate(ledger, path, spec)
        elif spec.type in CONTAINERS:
            containers.open_(ledger, path, spec)
        elif spec.type in WAITS:
            waits.begin(ledger, path, spec, _rendered_input(ledger, path, spec))
        else:
            _enqueue(ledger, path, spec, terms)
    except ExpressionError as error:
        fail(ledger, path, expression_error(ledger.node(path), error))


def _is_over(ledger: Ledger, path: str) -> bool:
    """True below a frame that has ended or is about to: nothing starts there any more."""
    frame = paths.frame_of(path)
    while frame:
        row = ledger.node(frame)
        failed = row.remembered("failed") and ledger.plan.flow.on_failure == FAIL
        if row.status is not NodeStatus.RUNNING or failed:
            return True
        frame = paths.frame_of(frame)
    return False


def _is_live(ledger: Ledger, path: str, control: int, dependency: int) -> bool:
    edges = ledger.plan.incoming(path)
    if not edges:
        return True
    return (control if any(edge.kind is EdgeKind.CONTROL for edge in edges) else dependency) > 0


def _evaluate(ledger: Ledger, path: str, spec: Node) -> None:
    value = _rendered_input(ledger, path, spec)
    if spec.type in {NodeType.DECISION, NodeType.SWITCH}:
        complete(ledger, path, value, state={"chosen": _choose(ledger, path, spec)})
    elif spec.output is not None and spec.type in {NodeType.TRANSFORM, NodeType.OUTPUT}:
        complete(ledger, path, _render(ledger, path, spec.output))
    else:
        complete(ledger, path, value)
    if spec.terminate and ledger.node(path).status is NodeStatus.COMPLETED:
        end_execution(ledger, ExecutionStatus.COMPLETED, output=ledger.node(path).output)


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
    return _rendered_input(ledger, path, spec)


def _rendered_input(ledger: Ledger, path: str, spec: Node) -> Any:
    return _render(ledger, path, spec.input) if spec.input is not None else scope.arriving(ledger, path)


def _render(ledger: Ledger, path: str, template: Template) -> Any:
    return template.render(scope.scope(ledger, path, template.references))


def _as_object(value: Any) -> Any:
    """The agent contract takes an object: nothing becomes an empty one, anything else goes under `value`."""
    if value is None:
        return {}
    return value if isinstance(value, Mapping) else {"value": value}
