"""Attempts of llm agents: they get the tenant's tools and secrets, and an ear for their words."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any

from aispine import logs, secrets
from aispine.agent import call as agent_call
from aispine.agent.call import Called
from aispine.agent.contract import AgentRequest
from aispine.agent.definition import AgentVersion
from aispine.agent.llm import recipe
from aispine.agent.llm.means import Asked, Means, nobody
from aispine.agent.llm.telling import Words
from aispine.audit import Journal
from aispine.engine import advance, auditing, circuits, confidence, plans, privacy
from aispine.engine.advance import Held
from aispine.engine.dispatch import Dispatch
from aispine.engine.facts import Told
from aispine.engine.patience import patiently
from aispine.engine.terms import Terms
from aispine.engine.tool_calls import ToolCache
from aispine.flow.outcome import AgentFailure, Ended
from aispine.guards.breaker import Breaker
from aispine.model.chat import Model
from aispine.settings import Settings
from aispine.store.database import Store
from aispine.tool.definition import Tool, ToolRequest


@dataclass(frozen=True, kw_only=True, slots=True)
class Bench:
    """What of a worker an attempt needs."""

    store: Store
    settings: Settings
    dispatch: Dispatch
    terms: Terms
    tools: ToolCache
    breaker: Breaker
    journal: Journal


def call(agent: AgentVersion, request: AgentRequest, held: Held, bench: Bench) -> Called:
    """Calls an llm agent once; what comes of it does not hold the keys of its models. Raises `ExpressionError`."""
    names = recipe.of(agent.llm or {}).secrets
    opened = patiently(secrets.open_for, bench.store, request.tenant_id, names, bench.settings)
    means = Means(
        tools=StoredTools(bench=bench, request=request),
        secrets=opened.values,
        spent=held.node.metadata or {},
        tell=nobody if _is_private(held, bench) else Ear(bench=bench, held=held),
        through=partial(_through, bench, request),
    )
    with logs.hiding(opened.hide):
        return confidence.conceal(agent_call.call(agent, request, bench.settings, means=means), opened)


def _through(
    bench: Bench, request: AgentRequest, model: Model, seconds: float, call: Callable[[], Asked]
) -> Asked | AgentFailure:
    """Each model has a circuit of its own, so that the next one of the list is asked at once."""
    name = circuits.name_of_model(request.tenant_id, model)
    guarded = partial(bench.breaker.through, name, seconds, call, lambda asked: getattr(asked, "failure", None))
    return auditing.around_model(bench.journal, auditing.caller_of(bench.terms.owner, request), model, guarded)


def _is_private(held: Held, bench: Bench) -> bool:
    """Words come in pieces, in which nothing that has to be hidden can be found."""
    plan = plans.find(bench.store, held.execution.flow_version_id)
    return bool(plan.node(held.node.path).secrets) or privacy.concerns(plan.flow, held.execution.agents)


@dataclass(frozen=True, kw_only=True, slots=True)
class StoredTools:
    """The tools of the tenant whose attempt it is."""

    bench: Bench
    request: AgentRequest

    def find(self, tool_ids: Sequence[str]) -> Mapping[str, Tool]:
        """Raises `NotFound` for the first that is not there."""
        find, store = self.bench.tools.find, self.bench.store
        return {tool_id: patiently(find, store, self.request.tenant_id, tool_id) for tool_id in tool_ids}

    def call(self, tool: Tool, value: Any, *, seconds: float, idempotency_key: str) -> Ended:
        """Calls a tool once; whoever gives the attempt up ends this call too."""
        from aispine.agent import http  # Here, since most processes never call one: it costs each 6 MB.
        from aispine.tool import call as tool_call

        asked = self.request
        request = ToolRequest(
            tenant_id=asked.tenant_id,
            execution_id=asked.execution_id,
            node_id=asked.node_id,
            input=value,
            timeout=min(seconds, tool.timeout or seconds),
            idempotency_key=idempotency_key,
            attempt=asked.attempt,
            key=http.call_key(asked.execution_id, asked.path, asked.attempt),
        )
        call = partial(tool_call.call, tool, request, self.bench.settings)
        guarded = partial(circuits.around_tool, self.bench.breaker, tool, asked.tenant_id, call)
        return auditing.around_tool(
            self.bench.journal, auditing.caller_of(self.bench.terms.owner, asked), tool, guarded
        )


@dataclass(frozen=True, kw_only=True, slots=True)
class Ear:
    """Turns the words of a held node's model into events."""

    bench: Bench
    held: Held

    def __call__(self, words: Words) -> None:
        execution_id, node = self.held.execution.execution_id, self.held.node
        fact = Told(path=node.path, attempt=node.attempt, step=words.step, model=words.model, text=words.text)
        store, terms = self.bench.store, self.bench.terms
        transition = advance.advance(store, execution_id, [fact], terms, rows=(node.path,))
        if transition is not None and not transition.empty:
            self.bench.dispatch.wakeups.wake(execution_id)
