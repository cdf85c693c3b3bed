"""How nodes and executions end, and what the end of a node does to its edges."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from aispine.agent.contract import FailureCode
from aispine.engine import contexts, scope
from aispine.engine.ledger import Ledger, told_by
from aispine.errors import ExpressionError
from aispine.flow import paths
from aispine.flow.model import Node, NodeType
from aispine.flow.plan import CONTAINERS, CONTINUE, FAIL, Edge, EdgeKind, Graph
from aispine.flow.references import References
from aispine.flow.size import measure
from aispine.flow.state import NodeState
from aispine.flow.status import ExecutionStatus, NodeStatus

OVER: Final[Mapping[str, Any]] = {"due_at": None, "lease_owner": None}
BREAK: Final = "break_loop"
"""The variable by which a node leaves the loop that it stands in."""
BLOCKED: Final = "blocked"
"""Why a node was skipped that waits for one whose failure nobody handles."""
GUARD: Final = "guard"
"""Why a node was skipped whose own conditions do not hold."""
NO_LIVE_EDGE: Final = "no live edge"
"""Why a node was skipped to which no way was taken."""


GATHERING: Final = CONTAINERS | {NodeType.JOIN}
"""What puts the outputs of others together: unless somebody looks, they double each time."""


def complete(ledger: Ledger, path: str, output: Any, **fields: Any) -> None:
    """Ends a node with its output; its `set` takes effect with it."""
    try:
        if ledger.spec(path).type in GATHERING:
            measure(output)
        values = _rendered_set(ledger, path, output)
    except ExpressionError as error:
        fail(ledger, path, expression_error(ledger.node(path), error))
        return
    _set(ledger, path, values)
    node = ledger.change(
        path, status=NodeStatus.COMPLETED, output=output, error=None, finished_at=ledger.now, **OVER, **fields
    )
    chosen = {"chosen": node.remembered("chosen")} if ledger.spec(path).choices else {}
    ledger.record("node.completed", path, attempt=node.attempt, **chosen)
    settle(ledger, path)


def _set(ledger: Ledger, path: str, values: dict[str, Any]) -> None:
    """Changes shared variables; `break_loop` is of the innermost iteration around the node and of no other."""
    frame = _iteration_of(ledger, path)
    if BREAK in values and frame:
        ledger.remember(frame, **{BREAK: values.pop(BREAK)})
    if values:
        contexts.change(ledger, path, values)


def _iteration_of(ledger: Ledger, path: str) -> str:
    """The innermost iteration around a node, through branches and items; empty when there is none."""
    frame = paths.frame_of(path)
    while frame and ledger.spec(frame).loop is None:
        frame = paths.frame_of(frame)
    return frame


def fail(ledger: Ledger, path: str, error: Mapping[str, Any]) -> None:
    """Ends a node with an error: its `on_error` handles it, a join does without it, or its frame fails."""
    node = ledger.change(path, status=NodeStatus.FAILED, error=error, finished_at=ledger.now, **OVER)
    ledger.record("node.failed", path, attempt=node.attempt, error=error)
    kept_as = ledger.spec(path).error_output
    if kept_as is not None:
        contexts.change(ledger, path, {kept_as: error})
    if handles_errors(ledger.spec(path)) or is_tolerated(ledger, path):
        settle(ledger, path)
    else:
        _escalate(ledger, path, error)


def skip(ledger: Ledger, path: str, reason: str) -> None:
    """Ends a node that no live edge reaches, whose guard does not hold, or that waits for a failure."""
    ledger.change(path, status=NodeStatus.SKIPPED, finished_at=ledger.now, state={"reason": reason}, **OVER)
    ledger.record("node.skipped", path, reason=reason)
    settle(ledger, path)


def cancel(ledger: Ledger, node: NodeState) -> None:
    """Ends an open node from outside."""
    if paths.is_frame(node.path):
        ledger.change(node.path, status=NodeStatus.CANCELLED, finished_at=ledger.now)
        return
    ledger.change(node.path, status=NodeStatus.CANCELLED, finished_at=ledger.now, **OVER)
    ledger.record("node.cancelled", node.path, attempt=node.attempt)
    give_up_child(ledger, node)


def give_up_child(ledger: Ledger, node: NodeState) -> None:
    """Notes that nobody waits any more for the child of a subflow node, if it has one."""
    child = node.remembered("child")
    if child is not None:
        ledger.orphan(child)


def cancel_inside(ledger: Ledger, outer: str) -> None:
    """Cancels what is open below a frame or container."""
    for node in list(ledger.open_inside(outer)):
        cancel(ledger, node)


def settle(ledger: Ledger, path: str) -> None:
    """Settles the outgoing edges of a node that has ended."""
    source, spec = ledger.node(path), ledger.spec(path)
    for edge in ledger.plan.outgoing(path):
        live = scope.is_live(edge, source, spec)
        control = edge.kind is EdgeKind.CONTROL
        target = ledger.node(edge.target)
        target = ledger.change(
            edge.target,
            unsettled=target.unsettled - 1,
            live_control=target.live_control + (live and control),
            live_dependency=target.live_dependency + (live and not control),
            blocked=target.blocked + is_blocked(ledger, edge),
        )
        if target.unsettled == 0 or ledger.spec(edge.target).join is not None:
            ledger.pending.append(edge.target)


def end_execution(ledger: Ledger, status: ExecutionStatus, who: str | None = None, **fields: Any) -> None:
    """Ends the execution; what is still open in it is cancelled."""
    if ledger.execution.open_nodes:
        cancel_inside(ledger, "")
    ledger.pending.clear()
    ledger.closing.clear()
    ledger.set_status(status, finished_at=ledger.now, mutexes={}, **fields)
    data: dict[str, Any] = {"error": ledger.execution.error} if ledger.execution.error else {}
    ledger.record(f"execution.{status}", **data, **told_by(who))


def end_when_idle(ledger: Ledger) -> None:
    """Ends a running execution in which nothing is left to do; a failure is handled first."""
    execution = ledger.execution
    if execution.status not in {ExecutionStatus.RUNNING, ExecutionStatus.WAITING} or execution.open_nodes:
        return
    if execution.error is not None:
        _fail_execution(ledger)
        return
    try:
        output = _flow_output(ledger)
    except ExpressionError as error:
        ledger.note_error({"code": str(FailureCode.EXPRESSION_ERROR), "message": f"output: {error.message}"})
        end_execution(ledger, ExecutionStatus.FAILED)
        return
    end_execution(ledger, ExecutionStatus.COMPLETED, output=output)


def exit_output(ledger: Ledger, frame: str, exits: tuple[str, ...]) -> Any:
    """What a body yields: the output of its only exit, or an object by id of those that completed.

    Raises `ExpressionError` when that is too large.
    """
    places = [paths.within(frame, name) for name in exits]
    ledger.require(places)
    outputs = {
        paths.name_of(place): ledger.node(place).output
        for place in places
        if _counts(ledger.node(place), ledger.spec(place))
    }
    if len(exits) <= 1:
        return next(iter(outputs.values()), None)
    measure(outputs)
    return outputs


def handles_errors(spec: Node) -> bool:
    """True when a failure of the node does not end its frame."""
    return spec.on_error not in {None, FAIL}


def is_tolerated(ledger: Ledger, path: str) -> bool:
    """True when only joins that do without some branches wait for the node."""
    graph: Graph = ledger.plan.graph_at(paths.frame_of(path))
    return paths.name_of(path) in graph.tolerated


def expression_error(node: NodeState, error: ExpressionError) -> dict[str, Any]:
    """The error of a node one of whose expressions cannot be evaluated."""
    return describe(node, str(FailureCode.EXPRESSION_ERROR), error.message)


def describe(node: NodeState, code: str, message: str, detail: Mapping[str, Any] | None = None) -> dict[str, Any]:
    """An error as flows, events and answers show it."""
    error = {"code": code, "message": message, "node": node.node_id, "path": node.path, "attempt": node.attempt}
    return {**error, "detail": detail} if detail else error


def _escalate(ledger: Ledger, path: str, error: Mapping[str, Any]) -> None:
    """Makes a failure that nobody handles one of its frame: at once, or when what runs beside it has ended."""
    frame = paths.frame_of(path)
    if frame:
        ledger.remember(frame, failed=True)
        ledger.change(frame, error=ledger.node(frame).error or error)
    else:
        ledger.note_error(error)
    if ledger.plan.flow.on_failure != FAIL:
        settle(ledger, path)
    elif frame:
        cancel_inside(ledger, frame)
        ledger.closing.append(frame)
    else:
        _fail_execution(ledger)


def _fail_execution(ledger: Ledger) -> None:
    """Ends the execution, after the flow's own handler has run if there is one."""
    handler = ledger.plan.flow.on_error
    if handler is None or ledger.node(handler).status is not NodeStatus.PENDING:
        end_execution(ledger, ExecutionStatus.FAILED)
        return
    if ledger.execution.open_nodes:
        cancel_inside(ledger, "")
    ledger.pending.clear()
    ledger.closing.clear()
    ledger.pending.append(handler)


def is_blocked(ledger: Ledger, edge: Edge) -> bool:
    """True when the edge's source has failed unhandled, or waits for such a one.

    A failure handler that is not needed because the node never ran is dead, not blocked.
    """
    source = ledger.node(edge.source)
    if source.status is NodeStatus.FAILED:
        return not handles_errors(ledger.spec(edge.source))
    waits = source.status is NodeStatus.SKIPPED and source.remembered("reason") == BLOCKED
    return waits and edge.label != "on_error"


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
        return template.render(scope.frame_scope(ledger, "", template.references))
    return exit_output(ledger, "", ledger.plan.exits)


def _counts(node: NodeState, spec: Node) -> bool:
    return node.status is NodeStatus.COMPLETED or (node.status is NodeStatus.FAILED and spec.on_error == CONTINUE)
