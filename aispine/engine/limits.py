"""Rates of calls: recorded with an execution as it starts, and kept when its nodes are sent."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final

from aispine.agent.definition import AgentVersion
from aispine.engine.queueing import LIMITS, agent_reference
from aispine.flow.model import Node
from aispine.flow.plan import Plan
from aispine.flow.state import ExecutionState
from aispine.guards.turns import Limit, Turns
from aispine.store import node_turns
from aispine.store.call_slots import Granted, Rates
from aispine.store.database import Store

HTTP_PER_MINUTE: Final = 50
"""What an agent over HTTP takes that does not say so."""
_SOON: Final = 0.05
"""A turn that comes within so many seconds is not worth a second message."""
_WINDOWS: Final = {"requests_per_minute": 60, "requests_per_hour": 3600}


def of_agent(agent: AgentVersion) -> list[list[Any]]:
    """What an agent itself takes."""
    stated = dict(agent.rate_limit)
    if not stated and agent.kind == "http":
        stated = {"requests_per_minute": HTTP_PER_MINUTE}
    name = f"agent:{agent.agent_id}"
    return [[f"{name}:{window}", stated[window], seconds] for window, seconds in _WINDOWS.items() if window in stated]


def of_plan(calls_per_minute: int | None) -> list[list[Any]]:
    """What the tenant's plan allows."""
    return [] if calls_per_minute is None else [["plan", calls_per_minute, 60]]


def hold_back(
    store: Store, turns: Turns, plan: Plan, execution: ExecutionState, queued: Sequence[str], tenant_id: str | None
) -> frozenset[str]:
    """Takes a turn for each queued node that needs one; returns those whose turn comes later.

    `tenant_id` is for a login that sees one tenant only.
    """
    limited = {path: rates for path in queued if (rates := _rates(plan.node(path), execution))}
    if not limited:
        return frozenset()
    delays = turns.take([_limits(execution.tenant_id, rates) for rates in limited.values()])
    later = {path: delay for path, delay in zip(limited, delays, strict=True) if delay > _SOON}
    if later:
        with store.session(tenant_id) as session:
            node_turns.defer(session, execution.execution_id, later)
    return frozenset(later)


def whose_turn_it_is(store: Store, turns: Turns, granted: Sequence[Granted]) -> list[Granted]:
    """Takes a turn for each node that was given a call slot; returns those whose turn does not come later."""
    limited = [each for each in granted if each.limits]
    if not limited:
        return list(granted)
    delays = turns.take([_limits(each.tenant_id, each.limits) for each in limited])
    later = {id(each): delay for each, delay in zip(limited, delays, strict=True) if delay > _SOON}
    for each in limited:
        if id(each) in later:
            with store.session(each.tenant_id) as session:
                node_turns.defer(session, each.execution_id, {each.path: later[id(each)]})
    return [each for each in granted if id(each) not in later]


def _rates(spec: Node, execution: ExecutionState) -> Rates:
    found: Rates = execution.agents.get(agent_reference(spec), {}).get(LIMITS, ()) if spec.makes_call else ()
    return found


def _limits(tenant_id: str, rates: Rates) -> list[Limit]:
    return [Limit(key=f"{tenant_id}:{name}", count=count, seconds=seconds) for name, count, seconds in rates]
