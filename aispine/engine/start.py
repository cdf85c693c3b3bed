"""Starting an execution: checked, stored, and only then announced."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from kombu.exceptions import OperationalError
from sqlalchemy.orm import Session

from aispine import catalog, logs, settings
from aispine.agent import registry
from aispine.agent.definition import AgentVersion
from aispine.engine import broker, canvas, limits, privacy
from aispine.engine.queueing import LIMITS, SLOTS, agent_reference
from aispine.errors import TooLarge
from aispine.flow.inputs import check_input
from aispine.flow.model import Flow, Node
from aispine.flow.sensitive import is_marked
from aispine.flow.status import ExecutionStatus
from aispine.store import executions, plans
from aispine.store.database import dumps
from aispine.store.executions import Family
from aispine.store.ids import new_id
from aispine.store.models import ExecutionRow
from aispine.tool import registry as tools
from aispine.tool.definition import Tool

_log = logs.get(__name__)
START_PATIENCE = 5.0
"""Seconds after which the tick announces a start again that no worker picked up."""


@dataclass(frozen=True, kw_only=True, slots=True)
class StartRequest:
    """What to run; `version` is a version or a range, the highest when None."""

    flow_id: str
    input: Any
    version: str | None = None
    labels: Mapping[str, str] = field(default_factory=dict)
    correlation_id: str | None = None


@dataclass(frozen=True, kw_only=True, slots=True)
class Parent:
    """The attempt of a subflow node that starts a child."""

    execution_id: str
    path: str
    attempt: int


def start(
    session: Session,
    tenant_id: str,
    request: StartRequest,
    *,
    parent: Parent | None = None,
    above: Family | None = None,
    schedule_id: str | None = None,
) -> ExecutionRow:
    """Adds a queued execution in the caller's transaction; `announce` it after the commit.

    The versions of the flow and of its agents are chosen here and kept. Raises `NotFound`, `InvalidInput`, `TooLarge`.
    """
    found = catalog.version(session, tenant_id, request.flow_id, request.version)
    check(found.flow, request.input)
    row = ExecutionRow(
        execution_id=new_id(),
        tenant_id=tenant_id,
        flow_id=found.entry.flow_id,
        version=found.entry.version,
        flow_version_id=found.entry.flow_version_id,
        status=ExecutionStatus.QUEUED.value,
        input=request.input,
        context=dict(found.flow.context),
        agents=_choose_agents(session, tenant_id, found.flow) | _choose_tools(session, tenant_id, found.flow),
        labels=dict(request.labels),
        correlation_id=request.correlation_id,
        parent_execution_id=parent.execution_id if parent else None,
        parent_path=parent.path if parent else None,
        parent_attempt=parent.attempt if parent else None,
        depth=above.depth + 1 if above else 0,
        root_execution_id=above.root if above else None,
        schedule_id=schedule_id,
        reopened=0,
    )
    executions.add(session, row, patience=START_PATIENCE)
    return row


def announce(execution_id: str, flow_id: str) -> None:
    """Sends the first message. When the broker is away the tick sends it later."""
    try:
        canvas.send_start(broker.app(), execution_id, flow_id)
    except OperationalError as error:
        _log.warning("start.not_announced", execution=execution_id, error=str(error))


def check(flow: Flow, value: Any) -> None:
    """Raises `InvalidInput` when a value does not fit the flow's input, `TooLarge` when it is over the limit."""
    check_input(flow, value)
    limit = settings.current().max_value_bytes
    size = len(dumps(value))
    if size > limit:
        raise TooLarge(f"the input has {size:,} bytes; the limit is {limit:,}", field="input_data")


def _choose_agents(session: Session, tenant_id: str, flow: Flow) -> dict[str, dict[str, Any]]:
    called = {agent_reference(node): node for node in _all_nodes(flow.nodes) if node.agent_id is not None}
    wanted = {reference: (str(node.agent_id), node.agent_version) for reference, node in called.items()}
    found = registry.resolve_all(session, tenant_id, wanted.values())
    allowed = limits.of_plan(plans.calls_per_minute(session, tenant_id))
    return {reference: _chosen(found[each], allowed) for reference, each in wanted.items()}


def _choose_tools(session: Session, tenant_id: str, flow: Flow) -> dict[str, dict[str, Any]]:
    """Tools have no versions; they are recorded so that none is deleted while an execution may call it."""
    called = {node.tool_id: node for node in _all_nodes(flow.nodes) if node.tool_id is not None}
    found = tools.resolve(session, tenant_id, called) if called else {}
    allowed = _limited(limits.of_plan(plans.calls_per_minute(session, tenant_id))) if called else {}
    return {
        agent_reference(node): {"pool": "io", **allowed, **_flag(found[str(node.tool_id)])} for node in called.values()
    }


def _chosen(agent: AgentVersion, allowed: list[list[Any]]) -> dict[str, Any]:
    limited = _limited([*limits.of_agent(agent), *allowed])
    if agent.max_concurrency is not None:
        limited[SLOTS] = agent.max_concurrency
    return {"version": agent.version, "pool": agent.pool, **limited, **_flag(agent)}


def _limited(found: list[list[Any]]) -> dict[str, Any]:
    return {LIMITS: found} if found else {}


def _flag(called: AgentVersion | Tool) -> dict[str, Any]:
    return {privacy.FLAG: True} if is_marked(called.input_schema) or is_marked(called.output_schema) else {}


def _all_nodes(nodes: tuple[Node, ...]) -> Iterator[Node]:
    for node in nodes:
        yield node
        for body in node.bodies:
            yield from _all_nodes(body)
