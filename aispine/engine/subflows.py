"""Subflows: a node whose work is another execution."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any, Final

from aispine.agent.contract import FailureCode
from aispine.engine.ending import complete, describe, fail
from aispine.engine.facts import ChildEnded, ChildStarted
from aispine.engine.ledger import BEFORE, Ledger
from aispine.engine.terms import Terms
from aispine.flow.status import NodeStatus

LOOK_AGAIN: Final = 60.0
"""Seconds after which the tick looks at the child once more, should its own word have been lost."""


def child_started(ledger: Ledger, fact: ChildStarted, _terms: Terms) -> None:
    """Lets the node wait for its child, without a worker."""
    node = ledger.node(fact.path)
    if node.status is not NodeStatus.RUNNING or node.attempt != fact.attempt:
        if node.status.terminal or fact.attempt <= node.remembered(BEFORE, 0):
            ledger.orphan(fact.child)
        elif node.status in {NodeStatus.QUEUED, NodeStatus.RUNNING}:
            # A later attempt takes the node over and finds the very same child, unless the node is cancelled before.
            ledger.remember(fact.path, child=fact.child)
        ledger.record("node.late_result", fact.path, attempt=fact.attempt)
        return
    timeout = ledger.spec(fact.path).timeout
    deadline = None if timeout is None else (node.started_at or ledger.now) + timedelta(seconds=timeout)
    ledger.change(fact.path, status=NodeStatus.WAITING, lease_owner=None)
    ledger.remember(fact.path, child=fact.child, deadline=None if deadline is None else deadline.isoformat())
    _look_again(ledger, fact.path, deadline)
    ledger.record("node.waiting", fact.path, child=fact.child)


def child_ended(ledger: Ledger, fact: ChildEnded, _terms: Terms) -> None:
    """Ends the node as its child has ended."""
    node = ledger.node(fact.path)
    if node.status is not NodeStatus.WAITING or node.remembered("child") != fact.child:
        return
    if fact.status.successful:
        complete(ledger, fact.path, fact.output)
        return
    cause = fact.error or {}
    message = f"the child execution {fact.child} is {fact.status}: {_reason(cause)}"
    code = str(FailureCode.SUBFLOW_FAILED)
    fail(ledger, fact.path, describe(node, code, message, {"child": fact.child, "error": cause}))


def _reason(error: Mapping[str, Any]) -> str:
    """What went wrong at the bottom, without each child in between saying so once more."""
    while error.get("code") == FailureCode.SUBFLOW_FAILED and (inner := (error.get("detail") or {}).get("error")):
        error = inner
    return str(error.get("message", "no reason given"))


def due(ledger: Ledger, path: str) -> None:
    """Gives up a child that takes too long; otherwise it is looked at again later."""
    node = ledger.node(path)
    text = node.remembered("deadline")
    deadline = None if text is None else datetime.fromisoformat(text)
    if deadline is None or deadline > ledger.now:
        _look_again(ledger, path, deadline)
        return
    ledger.orphan(node.remembered("child"))
    message = f"the child execution took longer than {ledger.spec(path).timeout:g} s"
    fail(ledger, path, describe(node, str(FailureCode.TIMEOUT), message))


def _look_again(ledger: Ledger, path: str, deadline: datetime | None) -> None:
    later = ledger.now + timedelta(seconds=LOOK_AGAIN)
    ledger.change(path, due_at=later if deadline is None else min(later, deadline))
