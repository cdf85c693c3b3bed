"""How nodes and executions end, and what the end of a node does to its edges."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from aispine.agent.contract import FailureCode
from aispine.engine import scope
from aispine.engine.ledger import Ledger
from aispine.errors import ExpressionError
from aispine.flow.model import Node
from aispine.flow.plan import CONTINUE, FAIL, EdgeKind
from aispine.flow.references import References
from aispine.flow.state import NodeState
from aispine.flow.status import ExecutionStatus, NodeStatus

_OVER: Mapping[str, Any] = {"due_at": None, "lease_owner": None}


def complete(ledger: Ledger, path: str, output: Any, **fields: Any) -> None:
    """Ends a node with its output; its `set` takes effect with it."""
    try:
        values = _rendered_set(ledger, path, output)
    except ExpressionError as error:
        fail(ledger, path, expression_error(ledger.node(path), error))
        return
    if values:
        ledger.set_context(values)
    node = ledger.change(
        path, status=NodeStatus.COMPLETED, output=output, error=None, finished_at=ledger.now, **_OVER, **fields
    )
    ledger.record("node.completed", path, attempt=node.attempt, **(node.state or {}))
    settle(ledger, path)


def fail(ledger: Ledger, path: str, error: Mapping[str, Any]) -> None:
    """Ends a node with an error, which its `on_error` handles or else ends the execution."""
    node = ledger.change(path, status=NodeStatus.FAILED, error=error, finished_at=ledger.now, **_OVER)
    ledger.record("node.failed", path, attempt=node.attempt, error=error)
    if not handles_errors(ledger.spec(path)):
        ledger.execution = replace(ledger.execution, error=ledger.execution.error or error)
        if ledger.plan.flow.on_failure == FAIL:
            end_execution(ledger, ExecutionStatus.FAILED)
            return
    settle(ledger, path)


def skip(ledger: Ledger, path: str, reason: str) -> None:
    """Ends a node that no live edge reaches or whose guard does not hold."""
    ledger.change(path, status=NodeStatus.SKIPPED, finished_at=ledger.now, state={"reason": reason}, **_OVER)
    ledger.record("node.skipped", path, reason=reason)
    settle(ledger, path)


def settle(ledger: Ledger, path: str) -> None:
    """Settles the outgoing edges of a node that has ended."""
    source, spec = ledger.node(path), ledger.spec(path)
    blocked = source.status is NodeStatus.FAILED and not handles_errors(spec)
    for edge in ledger.plan.graph.outgoing[path]:
        live = scope.is_live(edge, source, spec)
        control = edge.kind is EdgeKind.CONTROL
        target = ledger.node(edge.target)
        target = ledger.change(
            edge.target,
            unsettled=target.unsettled - 1,
            live_control=target.live_control + (live and control),
            live_dependency=target.live_dependency + (live and not control),
            blocked=target.blocked + blocked,
        )
        if target.unsettled == 0:
            ledger.pending.append(edge.target)


def end_execution(ledger: Ledger, status: ExecutionStatus, **fields: Any) -> None:
    """Ends the execution; what is still open in it is cancelled."""
    for node in ledger.open_nodes() if ledger.execution.open_nodes else ():
        ledger.change(node.path, status=NodeStatus.CANCELLED, finished_at=ledger.now, **_OVER)
        ledger.record("node.cancelled", node.path, attempt=node.attempt)
    ledger.pending.clear()
    ledger.set_status(status, finished_at=ledger.now, **fields)
    data: dict[str, Any] = {"error": ledger.execution.error} if ledger.execution.error else {}
    ledger.record(f"execution.{status}", **data)


def end_when_idle(ledger: Ledger) -> None:
    """Ends a running execution in which nothing is left to do."""
    execution = ledger.execution
    if execution.status is not ExecutionStatus.RUNNING or execution.open_nodes:
        return
    if execution.error is not None:
        end_execution(ledger, ExecutionStatus.FAILED)
        return
    try:
        output = _flow_output(ledger)
    except ExpressionError as error:
        failure = {"code": str(FailureCode.EXPRESSION_ERROR), "message": f"output: {error.message}"}
        ledger.execution = replace(ledger.execution, error=failure)
        end_execution(ledger, ExecutionStatus.FAILED)
        return
    end_execution(ledger, ExecutionStatus.COMPLETED, output=output)


def handles_errors(spec: Node) -> bool:
    """True when a failure of the node does not end the execution."""
    return spec.on_error not in {None, FAIL}


def expression_error(node: NodeState, error: ExpressionError) -> dict[str, Any]:
    """The error of a node one of whose expressions cannot be evaluated."""
    return describe(node, str(FailureCode.EXPRESSION_ERROR), error.message)


def describe(node: NodeState, code: str, message: str, detail: Mapping[str, Any] | None = None) -> dict[str, Any]:
    """An error as flows, events and answers show it."""
    error = {"code": code, "message": message, "node": node.node_id, "path": node.path, "attempt": node.attempt}
    return {**error, "detail": detail} if detail else error


def _rendered_set(ledger: Ledger, path: str, output: Any) -> dict[str, Any]:
    templates = ledger.spec(path).set
    if not templates:
        return {}
    references = References()
    for template in templates.values():
        references |= template.references
    values = scope.own_scope(ledger, path, references, output)
    return {key: template.render(values) for key, template in templates.items()}


def _flow_output(ledger: Ledger) -> Any:
    template = ledger.plan.flow.output
    if template is not None:
        return template.render(scope.final_scope(ledger, template.references))
    exits = ledger.plan.exits
    ledger.require(exits)
    outputs = {name: ledger.node(name).output for name in exits if _counts(ledger.node(name), ledger.spec(name))}
    return outputs if len(exits) > 1 else next(iter(outputs.values()), None)


def _counts(node: NodeState, spec: Node) -> bool:
    return node.status is NodeStatus.COMPLETED or (node.status is NodeStatus.FAILED and spec.on_error == CONTINUE)
