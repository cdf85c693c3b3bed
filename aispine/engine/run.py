"""Running one message: claim, call the agent, finish, and go on inline while the time slice lasts."""

from __future__ import annotations

import threading
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Protocol

from aispine import logs, secrets
from aispine.agent import call as agent_call
from aispine.agent import registry
from aispine.agent.attachments import StoredFiles
from aispine.agent.call import Called
from aispine.agent.contract import AgentAccepted, AgentFailure, AgentReply, AgentRequest, FailureCode, Outcome
from aispine.agent.definition import AgentVersion
from aispine.engine import advance, callbacks, canvas, children, confidence, plans, tool_calls
from aispine.engine.advance import Held, Take
from aispine.engine.dispatch import Dispatch
from aispine.engine.facts import Fact, Finished, Started
from aispine.engine.lane import Rest
from aispine.engine.lease import Leases
from aispine.engine.patience import patiently
from aispine.engine.queueing import QUEUES, agent_reference
from aispine.engine.terms import Terms
from aispine.engine.tool_calls import ToolCache
from aispine.errors import ExpressionError, NotFound
from aispine.files import TenantFiles
from aispine.flow.model import Node
from aispine.flow.state import Transition
from aispine.flow.status import NodeStatus
from aispine.settings import Settings
from aispine.store import due, node_glance, node_logs
from aispine.store.database import Store, dumps


class Carrier(Protocol):
    """The canvas that brought a message, and what of it comes after."""

    @property
    def following(self) -> frozenset[str]:
        """The nodes that the next member of the chain starts."""

    def skip(self) -> None:
        """Takes the next member out of the chain: it is done already."""

    def stop(self) -> None:
        """Drops what is left of the chain."""


class AgentCache:
    """Agent versions by tenant; kept for some seconds, since an endpoint may be changed."""

    KEPT = 10.0

    def __init__(self) -> None:
        self._found: dict[tuple[str, str, str], tuple[float, AgentVersion]] = {}

    def find(self, store: Store, tenant_id: str, agent_id: str, version: str) -> AgentVersion:
        """Raises `NotFound` when the version was deleted."""
        key = (tenant_id, agent_id, version)
        until, agent = self._found.get(key, (0.0, None))
        if agent is None or until < time.monotonic():
            with store.session(None) as session:
                agent = registry.get(session, tenant_id, agent_id, version)
            self._found[key] = (time.monotonic() + self.KEPT, agent)
        return agent


@dataclass(frozen=True, kw_only=True)
class Worker:
    """What a worker process works with."""

    store: Store
    settings: Settings
    terms: Terms
    leases: Leases
    dispatch: Dispatch
    agents: AgentCache
    tools: ToolCache = field(default_factory=ToolCache)


def start(worker: Worker, execution_id: str, carrier: Carrier) -> None:
    """Starts an execution and runs its first quick node."""
    transition = patiently(
        advance.advance, worker.store, execution_id, [Started()], worker.terms, take=Take(queue="engine")
    )
    if transition is not None and not transition.empty:
        _go_on(worker, _follow(worker, transition, carrier), carrier)


def run(worker: Worker, execution_id: str, path: str, carrier: Carrier) -> None:
    """Runs a queued node and what follows it in this process; a node that is not to be had is left alone.

    A node that is done already lets the chain go on, since its continuation may have been lost.
    """
    held = _claim(worker, execution_id, path)
    if held is not None:
        worker.dispatch.wakeups.wake(execution_id)
        _go_on(worker, held, carrier)
        return
    glance = patiently(node_glance.find, worker.store, execution_id, path)
    if glance is None or glance.status is not NodeStatus.COMPLETED:
        carrier.stop()
    if glance is not None and glance.status is NodeStatus.WAITING and glance.child is not None:
        _look_at_child(worker, execution_id, path, glance.child, carrier)


def _claim(worker: Worker, execution_id: str, path: str) -> Held | None:
    held = patiently(advance.claim, worker.store, execution_id, path, worker.terms)
    if held is not None:
        worker.dispatch.meter.begun(held.node)
    return held


def _look_at_child(worker: Worker, execution_id: str, path: str, child: str, carrier: Carrier) -> None:
    fact = patiently(children.ended, worker.store, path, child)
    if fact is None:
        return
    take = Take(queue=QUEUES["quick"])
    transition = patiently(advance.advance, worker.store, execution_id, [fact], worker.terms, rows=(path,), take=take)
    if transition is not None and not transition.empty:
        _go_on(worker, _follow(worker, transition, carrier), carrier)


def run_lane(worker: Worker, execution_id: str, places: Sequence[str], carrier: Carrier) -> None:
    """Runs queued nodes one after the other while they are quick; the rest is handed on when the slice is over."""
    rest = Rest(places)
    # A node that turns out slow keeps this thread busy, so another one hands on what waits behind it.
    watchdog = threading.Timer(worker.settings.slice, _hand_on, (worker, execution_id, rest))
    watchdog.daemon = True
    watchdog.start()
    try:
        while (path := rest.next()) is not None:
            held = _claim(worker, execution_id, path)
            if held is not None:
                _go_on(worker, held, carrier, rest)
    finally:
        watchdog.cancel()
        _hand_on(worker, execution_id, rest)


def _hand_on(worker: Worker, execution_id: str, rest: Rest) -> None:
    places = rest.take_all()
    if places:
        canvas.send_lane(worker.dispatch.celery, execution_id, places)


def _go_on(worker: Worker, held: Held | None, carrier: Carrier, rest: Rest | None = None) -> None:
    until = time.monotonic() + worker.settings.slice
    while held is not None:
        fact = _work(worker, held)
        take = Take()
        if time.monotonic() < until:
            take = Take(queue=held.node.queue, path=rest.next() if rest is not None else None)
        transition = patiently(advance.finish, worker.store, held, fact, worker.terms, take)
        if transition is None:
            carrier.stop()
            return
        if transition.empty:
            # It was told before and the answer got lost: nobody has sent what followed from it.
            patiently(due.hasten_execution, worker.store, held.execution.execution_id)
        held = _follow(worker, transition, carrier)


def _follow(worker: Worker, transition: Transition, carrier: Carrier) -> Held | None:
    """Sees to it that everything that became ready is on its way; returns what this process runs next."""
    claimed, queued = transition.claimed, transition.queued
    if claimed is not None and carrier.following == {claimed} and not queued:
        carrier.skip()
    elif claimed is None and queued and carrier.following == set(queued):
        queued = ()
    else:
        carrier.stop()
    worker.dispatch.follow(transition, queued=queued)
    return advance.held_after(transition)


def _work(worker: Worker, held: Held) -> Fact:
    """Does what the node is for."""
    spec = patiently(plans.find, worker.store, held.execution.flow_version_id).node(held.node.path)
    if spec.subflow is not None:
        return patiently(children.begin, worker.store, held.execution, held.node, spec)
    begun = time.monotonic()
    outcome = _attempt(worker, held, spec)
    worker.dispatch.pace.record(agent_reference(spec), time.monotonic() - begun)
    return Finished(path=held.node.path, attempt=held.node.attempt, outcome=outcome)


def _attempt(worker: Worker, held: Held, spec: Node) -> Outcome:
    """Calls the agent of a held node under its lease and keeps what it printed."""
    execution, node = held.execution, held.node
    with worker.leases.hold(execution.execution_id, node.path, node.attempt):
        called = _call(worker, held, spec)
        if called.log:
            patiently(node_logs.keep, worker.store, execution, node, called.log)
    return _bounded(called.outcome, worker.settings.max_value_bytes)


def _call(worker: Worker, held: Held, spec: Node) -> Called:
    """Calls what the node calls with the secrets it needs, and returns what came of it without them."""
    try:
        opened = patiently(secrets.open_for, worker.store, held.execution.tenant_id, spec.secrets, worker.settings)
        with logs.hiding(opened.hide):
            call = _call_tool if spec.tool_id else _call_agent
            return confidence.conceal(call(worker, *confidence.reveal(held, spec, opened)), opened)
    except NotFound as error:
        return Called(outcome=AgentFailure(code=FailureCode.UNAVAILABLE, message=error.message))
    except ExpressionError as error:
        return Called(outcome=AgentFailure(code=FailureCode.EXPRESSION_ERROR, message=error.message))


def _call_agent(worker: Worker, held: Held, spec: Node) -> Called:
    agent = patiently(_agent, worker, held, spec)
    request, files = _request(worker, held, spec, agent), _files(worker, held.execution.tenant_id)
    begun = time.monotonic()
    called = agent_call.call(agent, request, worker.settings, files=files)
    if not isinstance(called.outcome, AgentAccepted):
        return called
    waits = callbacks.limited(called.outcome, request, spec, agent, time.monotonic() - begun)
    return Called(outcome=waits, log=called.log)


def _call_tool(worker: Worker, held: Held, spec: Node) -> Called:
    tool = patiently(worker.tools.find, worker.store, held.execution.tenant_id, str(spec.tool_id))
    return Called(outcome=tool_calls.call(tool, held.execution, held.node, spec, worker.settings))


def _agent(worker: Worker, held: Held, spec: Node) -> AgentVersion:
    chosen: Mapping[str, Any] = held.execution.agents[agent_reference(spec)]
    return worker.agents.find(worker.store, held.execution.tenant_id, str(spec.agent_id), chosen["version"])


def _files(worker: Worker, tenant_id: str) -> StoredFiles:
    return StoredFiles(TenantFiles(store=worker.store, tenant_id=tenant_id, settings=worker.settings))


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
