"""A sample of an llm agent, run against a played model over HTTP and with played tools."""

from __future__ import annotations

from collections import defaultdict, deque
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

from aispine.agent.call import Called, call
from aispine.agent.contract import AgentFailure, AgentReply, AgentRequest, Ended, FailureCode
from aispine.agent.definition import AgentVersion
from aispine.agent.llm.means import Means
from aispine.agent.sample import Sample
from aispine.guards import rules
from aispine.guards.rules import Guard
from aispine.model.standin import Line, StandIn, playing
from aispine.settings import Settings
from aispine.tool.definition import Tool

_LOOPBACK = Guard(allowed=rules.hosts([rules.LOOPBACK], "rehearsal"))


def rehearse(agent: AgentVersion, request: AgentRequest, sample: Sample, settings: Settings) -> Called:
    """Runs the agent with each of its models played; what the sample says is said turn by turn."""
    with playing(map(line, sample.model)) as model:
        means = Means(tools=PlayedTools(sample.tools))
        called = call(played(agent, model), request, settings, _LOOPBACK, means=means)
        return called if model.left == 0 else replace(called, outcome=_unsaid(called, model))


def line(said: Mapping[str, Any]) -> Line:
    """One line of a sample as the stand-in says it; `tool_calls` with `name` and `arguments`."""
    return Line(**{**said, "tool_calls": tuple(said.get("tool_calls", ()))})


class PlayedTools:
    """Tools that answer what a sample says, call by call."""

    def __init__(self, answers: Mapping[str, Sequence[Any]]) -> None:
        self._answers = defaultdict(deque, {name: deque(given) for name, given in answers.items()})

    def find(self, tool_ids: Sequence[str]) -> Mapping[str, Tool]:
        """A tool for every id: what each takes is known where it is registered."""
        return {tool_id: Tool(tool_id=tool_id, name=tool_id, endpoint="") for tool_id in tool_ids}

    def call(self, tool: Tool, value: Any, *, seconds: float, idempotency_key: str) -> Ended:  # noqa: ARG002
        """The next answer of a tool."""
        answers = self._answers[tool.tool_id]
        if not answers:
            message = f"the sample has no more answers of {tool.tool_id}"
            return AgentFailure(code=FailureCode.UNAVAILABLE, message=message)
        return AgentReply(output=answers.popleft())


def played(agent: AgentVersion, model: StandIn) -> AgentVersion:
    """The agent with a played model in the place of each of its own."""
    llm = dict(agent.llm or {})
    asked = [{name: value for name, value in each.items() if name != "api_key"} for each in llm["models"]]
    return replace(agent, llm={**llm, "models": [{**each, "base_url": model.url} for each in asked]})


def _unsaid(called: Called, model: StandIn) -> AgentFailure:
    """The failure of a sample that expects more turns than the agent asks for; an earlier failure explains more."""
    if isinstance(called.outcome, AgentFailure):
        return called.outcome
    message = f"the sample has {model.left} more lines of the model than the agent asked for"
    return AgentFailure(code=FailureCode.AGENT_ERROR, message=message)
