"""Calls on their way into the audit: each is measured as it is made, and noted when it has ended."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from typing import Any, Final, TypeVar

from aispine.agent.call import Called
from aispine.agent.contract import AgentRequest
from aispine.agent.definition import AgentVersion
from aispine.agent.llm.means import Asked
from aispine.audit import ACCEPTED, SUCCESS, Callee, Caller, Journal, Report
from aispine.flow.outcome import AgentAccepted, AgentFailure, AgentReply, Ended, Outcome
from aispine.guards import traffic
from aispine.guards.traffic import Traffic
from aispine.model.chat import Model, Turn
from aispine.store.database import dumps
from aispine.tool.definition import Tool

Result = TypeVar("Result")
_TOKENS: Final = "tokens_used"
_COST: Final = "cost_usd"


def around_agent(
    journal: Journal, worker: str, agent: AgentVersion, request: AgentRequest, call: Callable[[], Called]
) -> Called:
    """Calls an agent and notes it."""
    begun, since = time.time(), time.monotonic()
    sizes: dict[str, Any]
    if agent.kind == "python":
        # Before the agent has it, which may change it into anything.
        size = len(dumps(request.input))
        called = call()
        seconds, sizes = time.monotonic() - since, {"input_bytes": size, "output_bytes": _size(called.outcome)}
    else:
        with traffic.counted() as counted:
            called = call()
        seconds, sizes = time.monotonic() - since, _out(counted)
    report = Report(begun=begun, seconds=seconds, cached=called.kept, **_told(called.outcome), **sizes)
    callee = Callee(kind="agent", name=agent.agent_id, version=agent.version)
    journal.note(caller_of(worker, request), callee, report)
    return called


def around_tool(journal: Journal, caller: Caller, tool: Tool, call: Callable[[], Ended]) -> Ended:
    """Calls a tool and notes it."""
    begun, since = time.time(), time.monotonic()
    with traffic.counted() as counted:
        outcome = call()
    report = Report(begun=begun, seconds=time.monotonic() - since, **_told(outcome), **_out(counted))
    journal.note(caller, Callee(kind="tool", name=tool.tool_id), report)
    return outcome


def around_model(
    journal: Journal, caller: Caller, model: Model, call: Callable[[], Asked | AgentFailure]
) -> Asked | AgentFailure:
    """Asks a model for one turn and notes it."""
    begun, since = time.time(), time.monotonic()
    with traffic.counted() as counted:
        asked = call()
    report = Report(begun=begun, seconds=time.monotonic() - since, **_turn(asked, model), **_out(counted))
    journal.note(caller, Callee(kind="model", name=model.model), report)
    return asked


def caller_of(worker: str, request: AgentRequest) -> Caller:
    """Who makes the calls of an attempt."""
    return Caller(
        tenant_id=request.tenant_id,
        name=worker,
        execution_id=request.execution_id,
        path=request.path,
        attempt=request.attempt,
    )


def _told(outcome: Outcome) -> dict[str, Any]:
    if isinstance(outcome, AgentAccepted):
        return {"outcome": ACCEPTED}
    word = str(outcome.code) if isinstance(outcome, AgentFailure) else SUCCESS
    return {"outcome": word, **_spent(outcome.metadata)}


def _spent(metadata: Mapping[str, Any]) -> dict[str, Any]:
    """Whatever an agent says of its costs, as far as it can be numbers."""
    tokens, cost = _number(metadata.get(_TOKENS)), _number(metadata.get(_COST))
    return {"tokens": None if tokens is None else int(tokens), "cost_usd": cost}


def _number(value: Any) -> float | None:
    fits = isinstance(value, int | float) and not isinstance(value, bool) and 0 <= value < 2**53
    return value if fits else None


def _turn(asked: Asked | AgentFailure, model: Model) -> dict[str, Any]:
    if isinstance(asked, AgentFailure):
        return {"outcome": str(asked.code)}
    word = SUCCESS if isinstance(asked, Turn) else str(asked.failure.code)
    if asked.usage is None:
        return {"outcome": word}
    cost = None if model.prices is None else asked.usage.cost(model.prices)
    return {"outcome": word, "tokens": asked.usage.total, "cost_usd": cost}


def _size(outcome: Outcome) -> int:
    """What came out of an agent in this process."""
    return len(dumps(outcome.output)) if isinstance(outcome, AgentReply) else 0


def _out(counted: Traffic) -> dict[str, Any]:
    return {"input_bytes": counted.sent, "output_bytes": counted.received, "host": counted.host}
