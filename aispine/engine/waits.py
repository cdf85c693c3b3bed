"""Nodes that wait: for a time, a signal or a person; a waiting node is a row and holds no worker."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Any, Final

from aispine.agent.contract import FailureCode
from aispine.engine import scope
from aispine.engine.ending import complete, describe, fail
from aispine.engine.ledger import Ledger, told_by
from aispine.errors import Conflict, ExpressionError
from aispine.flow.duration import MAX_SECONDS, parse_duration
from aispine.flow.expression import Template
from aispine.flow.model import Node, Wait
from aispine.flow.state import NodeState, Signal
from aispine.flow.status import NodeStatus

TIMER: Final = "timer"
SIGNAL: Final = "signal"
APPROVAL: Final = "approval"
MUTEX: Final = "mutex"
CALLBACK: Final = "callback"
MAX_KEPT: Final = 1_000
"""Signals that an execution keeps at most until a node waits for them."""


def begin(ledger: Ledger, path: str, spec: Node, value: Any) -> None:
    """Lets a node wait; `value` is its input, which a timer passes on and a person is shown."""
    if spec.approval is not None:
        _wait(ledger, path, value, {"for": APPROVAL}, _timeout(ledger, spec))
        return
    wait = spec.wait or Wait()
    if wait.signal is None:
        _wait(ledger, path, value, {"for": TIMER}, _until(ledger, path, wait))
        return
    kept = next((signal for signal in ledger.signals() if signal.name == wait.signal), None)
    _wait(ledger, path, value, {"for": SIGNAL, "signal": wait.signal}, _timeout(ledger, spec))
    if kept is not None:
        ledger.consume(kept)
        complete(ledger, path, kept.payload)


def due(ledger: Ledger, path: str) -> None:
    """The time of a waiting node has come: a timer is done, anything else came too late."""
    node, spec = ledger.node(path), ledger.spec(path)
    if node.remembered("for") == TIMER:
        complete(ledger, path, node.input)
        return
    decided = spec.approval.on_timeout if spec.approval else (spec.wait or Wait()).on_timeout
    if decided == "reject":
        complete(ledger, path, {"approved": False, "reason": "timeout"})
    elif decided == "continue":
        complete(ledger, path, None)
    else:
        message = f"nothing came within {spec.timeout:g} s" if spec.timeout else "nothing came in time"
        fail(ledger, path, describe(node, str(FailureCode.TIMEOUT), message))


def receive(ledger: Ledger, signal: Signal, who: str | None = None) -> None:
    """Gives a signal to the node that has waited for it longest, or keeps it for the next one."""
    waiting = [node for node in ledger.open_inside("") if _waits_for(node, signal.name)]
    if not waiting:
        if len(ledger.signals()) >= MAX_KEPT:
            message = f"the execution keeps {MAX_KEPT:,} signals already that no node has waited for"
            raise Conflict(message, field="name", hint="Send signals that some node of the flow waits for.")
        ledger.keep(signal)
        ledger.record("signal.received", name=signal.name, kept=True, **told_by(who))
        return
    node = min(waiting, key=lambda each: (each.started_at or ledger.now, each.path))
    ledger.record("signal.received", node.path, name=signal.name, kept=False, **told_by(who))
    complete(ledger, node.path, signal.payload)


def answer(ledger: Ledger, path: str, values: Mapping[str, Any], by: str) -> None:
    """Completes an approval with what a person said; one that does not wait (any more) stays as it is."""
    node = ledger.node(path)
    if node.status is NodeStatus.WAITING and node.remembered("for") == APPROVAL:
        ledger.record("approval.answered", path, by=by, approved=values.get("approved"))
        complete(ledger, path, {**values, "by": by})


def await_callback(ledger: Ledger, path: str, seconds: float) -> None:
    """Lets a node wait whose agent has accepted; its process is free."""
    due_at = ledger.now + timedelta(seconds=seconds)
    ledger.change(path, status=NodeStatus.WAITING, lease_owner=None, due_at=due_at)
    ledger.remember(path, **{"for": CALLBACK})
    ledger.record(
        "node.waiting", path, attempt=ledger.node(path).attempt, **{"for": CALLBACK}, until=due_at.isoformat()
    )


def awaits_callback(node: NodeState) -> bool:
    return node.status is NodeStatus.WAITING and node.remembered("for") == CALLBACK


def stand_in_line(ledger: Ledger, path: str, mutex: str) -> None:
    """Lets a node wait until nobody before it holds its mutex any more."""
    state = {"for": MUTEX, "mutex": mutex}
    ledger.change(path, status=NodeStatus.WAITING, state=state)
    ledger.record("node.waiting", path, **state)


def has_its_turn(ledger: Ledger, path: str, node: NodeState) -> bool:
    """True for a node that stood in line for its mutex and is the first one now."""
    standing = node.status is NodeStatus.WAITING and node.remembered("for") == MUTEX
    return standing and ledger.holds(node.remembered("mutex"), path)


def _waits_for(node: NodeState, name: str) -> bool:
    return node.status is NodeStatus.WAITING and node.remembered("signal") == name


def _wait(ledger: Ledger, path: str, value: Any, state: dict[str, Any], due_at: datetime | None) -> None:
    ledger.change(
        path,
        status=NodeStatus.WAITING,
        attempt=1,
        input=value,
        state=state,
        started_at=ledger.now,
        due_at=due_at,
    )
    ledger.record("node.waiting", path, **state, until=None if due_at is None else due_at.isoformat())


def _timeout(ledger: Ledger, spec: Node) -> datetime | None:
    return None if spec.timeout is None else ledger.now + timedelta(seconds=spec.timeout)


def _until(ledger: Ledger, path: str, wait: Wait) -> datetime:
    if wait.seconds is not None:
        return ledger.now + timedelta(seconds=_seconds(_render(ledger, path, wait.seconds)))
    moment = _moment(_render(ledger, path, wait.until)) if wait.until else ledger.now
    if (moment - ledger.now).total_seconds() > MAX_SECONDS:
        raise ExpressionError(f"`until` is {moment.isoformat()}, more than a year from now")
    return max(moment, ledger.now)


def _render(ledger: Ledger, path: str, template: Template) -> Any:
    return template.render(scope.scope(ledger, path, template.references))


def _seconds(value: Any) -> float:
    try:
        return parse_duration(value)
    except ValueError as error:
        raise ExpressionError(f"`seconds`: {error}") from error


def _moment(value: Any) -> datetime:
    try:
        moment = datetime.fromisoformat(value)
    except (TypeError, ValueError) as error:
        raise ExpressionError(f"`until` is {value!r}, not an ISO 8601 timestamp") from error
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)
