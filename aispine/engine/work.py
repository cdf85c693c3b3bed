"""What a worker process works with, and one attempt of a node in it."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import partial
from typing import Any

from aispine import logs, secrets
from aispine.agent import call as agent_call
from aispine.agent import registry
from aispine.agent.around import Around, Nobody
from aispine.agent.attachments import StoredFiles
from aispine.agent.author import Conversation
from aispine.agent.call import Called
from aispine.agent.contract import AgentAccepted, AgentFailure, AgentReply, AgentRequest, FailureCode, Outcome
from aispine.agent.definition import AgentVersion
from aispine.agent.registry import Standing
from aispine.audit import Caller, Journal
from aispine.engine import (
    auditing,
    caching,
    callbacks,
    children,
    circuits,
    confidence,
    llm_calls,
    plans,
    slots,
    tool_calls,
)
from aispine.engine.advance import Held
from aispine.engine.dispatch import Dispatch
from aispine.engine.facts import ChildStarted, Finished, Released
from aispine.engine.group_commit import GroupCommit
from aispine.engine.lease import Leases
from aispine.engine.patience import patiently
from aispine.engine.queueing import agent_reference
from aispine.engine.readiness import Readiness, unready
from aispine.engine.terms import Terms
from aispine.engine.tool_calls import ToolCache
from aispine.engine.watchdog import Watchdog
from aispine.errors import ExpressionError, NotFound
from aispine.files import TenantFiles
from aispine.flow.model import Node
from aispine.guards import fence
from aispine.guards.breaker import Breaker
from aispine.secrets import Opened
from aispine.settings import Settings
from aispine.store import node_logs
from aispine.store.database import Store, dumps


class AgentCache:
    """Agent versions by tenant and how they stand; kept for some seconds, since both may change."""

    KEPT = 10.0

    def __init__(self) -> None:
        self._found: dict[tuple[str, str, str], tuple[float, Standing]] = {}

    def find(self, store: Store, tenant_id: str, agent_id: str, version: str) -> Standing:
        """Raises `NotFound` when the version was deleted."""
        key = (tenant_id, agent_id, version)
        until, standing = self._found.get(key, (0.0, None))
        if standing is None or until < time.monotonic():
            with store.session(None) as session:
                standing = registry.stands(session, tenant_id, agent_id, version)
            self._found[key] = (time.monotonic() + self.KEPT, standing)
        return standing


@dataclass(frozen=True, kw_only=True)
class Worker:
    """What a worker process works with."""

    store: Store
    settings: Settings
    terms: Terms
    leases: Leases
    dispatch: Dispatch
    agents: AgentCache
    conversations: Callable[[AgentRequest], Conversation] | None = None
    """The person whom an execution talks to; None where nobody can be reached."""
    tools: ToolCache = field(default_factory=ToolCache)
    watchdog: Watchdog = field(default_factory=Watchdog)
    breaker: Breaker = field(default_factory=Breaker)
    readiness: Readiness = field(default_factory=Readiness)
    journal: Journal = field(default_factory=Journal)
    claims: GroupCommit[str, Held | None] = field(default_factory=GroupCommit)
    ends: GroupCommit[Any, Held | None] = field(default_factory=GroupCommit)


def work(worker: Worker, held: Held) -> Finished | ChildStarted | Released:
    """Does what the node is for; one that turns out to need a call slot first is released."""
    spec = patiently(plans.find, worker.store, held.execution.flow_version_id).node(held.node.path)
    if spec.subflow is not None:
        return patiently(children.begin, worker.store, held.execution, held.node, spec)
    if slots.max_concurrency(spec, held.execution) is None:
        return _finished(worker, held, spec)
    if not patiently(slots.enter, worker.store, held, worker.terms):
        return Released(path=held.node.path, attempt=held.node.attempt)
    with worker.leases.slot():
        finished = _finished(worker, held, spec)
        if isinstance(finished.outcome, AgentAccepted):
            patiently(slots.keep, worker.store, held)
        else:
            _leave(worker, held, spec)
    return finished


def _leave(worker: Worker, held: Held, spec: Node) -> None:
    """Gives the slot back before the end is recorded: the call is over, and somebody may wait for it."""
    owner = worker.terms.owner
    worker.dispatch.let_in(patiently(slots.leave, worker.store, held.execution, spec, held.node, owner))


def _finished(worker: Worker, held: Held, spec: Node) -> Finished:
    begun = time.monotonic()
    outcome = _attempt(worker, held, spec)
    worker.dispatch.pace.record(agent_reference(spec), time.monotonic() - begun)
    return Finished(path=held.node.path, attempt=held.node.attempt, outcome=outcome)


def _attempt(worker: Worker, held: Held, spec: Node) -> Outcome:
    """Calls the agent of a held node and keeps what it printed."""
    called = _call(worker, held, spec)
    if called.log:
        patiently(node_logs.keep, worker.store, held.execution, held.node, called.log)
    return _bounded(called.outcome, worker.settings.max_value_bytes)


def _call(worker: Worker, held: Held, spec: Node) -> Called:
    """Calls what the node calls with the secrets it needs, and returns what came of it without them."""
    try:
        opened = patiently(secrets.open_for, worker.store, held.execution.tenant_id, spec.secrets, worker.settings)
        tenant_id = held.execution.tenant_id
        with logs.hiding(opened.hide), fence.around(worker.store, tenant_id):
            call = _call_tool if spec.tool_id else _call_agent
            return confidence.conceal(call(worker, *confidence.reveal(held, spec, opened), opened), opened)
    except NotFound as error:
        return Called(outcome=AgentFailure(code=FailureCode.UNAVAILABLE, message=error.message))
    except ExpressionError as error:
        return Called(outcome=AgentFailure(code=FailureCode.EXPRESSION_ERROR, message=error.message))


def _call_agent(worker: Worker, held: Held, spec: Node, opened: Opened) -> Called:
    standing = patiently(_standing, worker, held, spec)
    agent = standing.agent
    request = _request(worker, held, spec, agent)
    problem = standing.objection or patiently(worker.readiness.objection, worker.store, request.tenant_id, agent)
    if problem is not None:
        return Called(outcome=unready(problem))
    ask = partial(_ask, worker, held, spec, agent, request)
    kept = partial(caching.around, worker.store, worker.settings, agent, request, opened, spec.cache, ask)
    return auditing.around_agent(worker.journal, worker.terms.owner, agent, request, kept)


def _ask(worker: Worker, held: Held, spec: Node, agent: AgentVersion, request: AgentRequest) -> Called:
    if agent.kind == "llm":
        return _measured(worker, request, agent, partial(llm_calls.call, agent, request, held, _bench(worker)))
    around, begun = _around(worker, request), time.monotonic()
    call = partial(agent_call.call, agent, request, worker.settings, around=around)
    counted = partial(_measured, worker, request, agent, call)
    called = circuits.around_agent(worker.breaker, agent, request, counted)
    if not isinstance(called.outcome, AgentAccepted):
        return called
    waits = callbacks.limited(called.outcome, request, spec, agent, time.monotonic() - begun)
    return Called(outcome=waits, log=called.log)


def _measured(worker: Worker, request: AgentRequest, agent: AgentVersion, call: Callable[[], Called]) -> Called:
    """Counts a call of the version; one that was accepted is counted when its answer comes."""
    begun = time.monotonic()
    called = call()
    if not isinstance(called.outcome, AgentAccepted):
        version = (request.tenant_id, agent.agent_id, agent.version)
        worker.dispatch.meter.called(version, called.outcome, time.monotonic() - begun)
    return called


def _bench(worker: Worker) -> llm_calls.Bench:
    return llm_calls.Bench(
        store=worker.store,
        settings=worker.settings,
        dispatch=worker.dispatch,
        terms=worker.terms,
        tools=worker.tools,
        breaker=worker.breaker,
        journal=worker.journal,
    )


def _call_tool(worker: Worker, held: Held, spec: Node, _opened: Opened) -> Called:
    tool = patiently(worker.tools.find, worker.store, held.execution.tenant_id, str(spec.tool_id))
    execution, node = held.execution, held.node
    call = partial(tool_calls.call, tool, execution, node, spec, worker.settings)
    guarded = partial(circuits.around_tool, worker.breaker, tool, execution.tenant_id, call)
    return Called(outcome=auditing.around_tool(worker.journal, _caller(worker, held), tool, guarded))


def _caller(worker: Worker, held: Held) -> Caller:
    execution, node = held.execution, held.node
    return Caller(
        tenant_id=execution.tenant_id,
        name=worker.terms.owner,
        execution_id=execution.execution_id,
        path=node.path,
        attempt=node.attempt,
    )


def _standing(worker: Worker, held: Held, spec: Node) -> Standing:
    chosen: Mapping[str, Any] = held.execution.agents[agent_reference(spec)]
    return worker.agents.find(worker.store, held.execution.tenant_id, str(spec.agent_id), chosen["version"])


def _around(worker: Worker, request: AgentRequest) -> Around:
    files = TenantFiles(store=worker.store, tenant_id=request.tenant_id, settings=worker.settings)
    talk = worker.conversations
    return Around(files=StoredFiles(files), conversation=Nobody() if talk is None else talk(request))


def _request(worker: Worker, held: Held, spec: Node, agent: AgentVersion) -> AgentRequest:
    execution, node = held.execution, held.node
    return AgentRequest(
        execution_id=execution.execution_id,
        tenant_id=execution.tenant_id,
        node_id=node.node_id,
        path=node.path,
        attempt=node.attempt,
        idempotency_key=f"{execution.execution_id}:{node.path}",
        input=node.input,
        config=spec.config,
        timeout=spec.timeout or agent.timeout or worker.settings.node_timeout,
        callback_url=callbacks.url(worker.settings, execution, node),
    )


def _bounded(outcome: Outcome, limit: int) -> Outcome:
    """Refuses an output that the store should not hold."""
    if isinstance(outcome, AgentReply):
        size = len(dumps([outcome.output, outcome.message, outcome.metadata]))
        if size > limit:
            message = f"the output has {size:,} bytes; the limit is {limit:,}"
            return AgentFailure(code=FailureCode.INVALID_RESPONSE, message=message)
    return outcome
