"""Child executions: started by the attempt of a subflow node, looked at when they have ended."""

from __future__ import annotations

from typing import Final

from sqlalchemy.orm import Session

from aispine.agent.contract import AgentFailure, FailureCode
from aispine.engine import start
from aispine.engine.facts import ChildEnded, ChildStarted, Finished
from aispine.engine.start import Parent, StartRequest
from aispine.errors import AISpineError, StoreUnavailable
from aispine.flow.model import Node, Subflow
from aispine.flow.state import ExecutionState, NodeState
from aispine.flow.status import ExecutionStatus
from aispine.store import executions
from aispine.store.database import Store
from aispine.store.executions import Family

MAX_DEPTH: Final = 16
"""How many executions may stand above one: a flow may call itself, but not for ever."""
MAX_DESCENDANTS: Final = 10_000
"""How many executions may stand below one: a flow that calls itself several times grows by powers."""


def begin(store: Store, execution: ExecutionState, node: NodeState, spec: Node) -> Finished | ChildStarted:
    """Starts the child of a subflow node; an attempt that follows a lost one finds the child that is there."""
    try:
        child = _find_or_start(store, execution, node, spec.subflow or Subflow(flow_id=""))
    except StoreUnavailable:
        raise
    except AISpineError as error:
        outcome = AgentFailure(code=FailureCode.SUBFLOW_FAILED, message=error.message)
        return Finished(path=node.path, attempt=node.attempt, outcome=outcome)
    return ChildStarted(path=node.path, attempt=node.attempt, child=child)


def ended(store: Store, path: str, child: str) -> ChildEnded | None:
    """What has become of a child; None while it goes on."""
    with store.session(None) as session:
        row = executions.find(session, child)
    if row is None:
        missing = {"message": "it is gone"}
        return ChildEnded(path=path, child=child, status=ExecutionStatus.CANCELLED, error=missing)
    status = ExecutionStatus(row.status)
    if not status.terminal:
        return None
    return ChildEnded(path=path, child=child, status=status, output=row.output, error=row.error)


def _check_size(session: Session, family: Family) -> None:
    if family.depth >= MAX_DEPTH:
        raise AISpineError(f"subflows stand {family.depth + 1} deep; the limit is {MAX_DEPTH}")
    if executions.descendants(session, family.root, MAX_DESCENDANTS) >= MAX_DESCENDANTS:
        raise AISpineError(f"{MAX_DESCENDANTS:,} executions stand below {family.root}; that is the limit")


def _find_or_start(store: Store, execution: ExecutionState, node: NodeState, subflow: Subflow) -> str:
    tried = node.attempt - node.lost_attempts
    parent = Parent(execution_id=execution.execution_id, path=node.path, attempt=tried)
    with store.session(None) as session:
        found = executions.find_child(session, parent.execution_id, parent.path, parent.attempt)
        if found is not None:
            return found.execution_id
        family = executions.family(session, execution.execution_id)
        _check_size(session, family)
        request = StartRequest(flow_id=subflow.flow_id, version=subflow.version, input=node.input)
        row = start.start(session, execution.tenant_id, request, parent=parent, above=family)
    start.announce(row.execution_id, row.flow_id)
    return row.execution_id
