"""One attempt: the agent is called, its input and output are checked, and what it printed is kept."""

from __future__ import annotations

import os
import sys
from dataclasses import dataclass
from typing import Any

from aispine.agent import python
from aispine.agent.around import Around
from aispine.agent.attachments import FolderFiles
from aispine.agent.capture import Capture
from aispine.agent.contract import AgentFailure, AgentReply, AgentRequest, FailureCode, Outcome
from aispine.agent.definition import AgentVersion
from aispine.agent.folder import locate
from aispine.agent.llm import recipe
from aispine.agent.llm.means import Means
from aispine.agent.schema import input_misfits, output_misfits
from aispine.guards.rules import Guard
from aispine.settings import Settings


@dataclass(frozen=True, kw_only=True, slots=True)
class Called:
    """What came of an attempt, and what the agent printed and logged in it."""

    outcome: Outcome
    log: str = ""
    kept: bool = False
    """True when the answer is one from before and nobody was asked."""


def call(
    agent: AgentVersion,
    request: AgentRequest,
    settings: Settings,
    guard: Guard | None = None,
    around: Around | None = None,
    means: Means | None = None,
) -> Called:
    """Calls the agent once. Every way in which that can fail is an `AgentFailure`, never an exception.

    `guard` says where a call over HTTP may go; None is the deployment's. `around` is what a python agent finds around
    it; None, the files beside its samples and nobody to talk to. `means` are those of an llm agent.
    """
    misfits = input_misfits(agent, request.input)
    if misfits:
        return Called(outcome=_failure(FailureCode.INVALID_INPUT, "the input does not fit the input_schema", misfits))
    if agent.kind == "http":
        return Called(outcome=_checked(agent, _call_http(agent, request, settings, guard)))
    if agent.kind == "llm":
        return _call_llm(agent, request, settings, guard, means or _own_means(agent))
    capture = Capture(settings.max_log_bytes)
    outcome = _checked(agent, _call_python(agent, request, settings, capture, around))
    return Called(outcome=outcome, log=capture.text())


def give_up(execution_id: str, path: str, attempt: int) -> bool:
    """Ends the call of that attempt, if this process has one under way over HTTP; it ends as `cancelled`."""
    http = sys.modules.get("aispine.agent.http")  # Not imported: whoever never called one has nothing to give up.
    return http is not None and bool(http.cancel(execution_id, path, attempt))


def _call_http(agent: AgentVersion, request: AgentRequest, settings: Settings, guard: Guard | None) -> Outcome:
    from aispine.agent import http  # Here, since most processes never call one: it costs each 6 MB.

    return http.execute(agent, request, settings, guard)


def _own_means(agent: AgentVersion) -> Means:
    """What an llm agent has outside of a flow, where secrets are variables of the environment of their names."""
    names = recipe.of(agent.llm or {}).secrets
    return Means(secrets={name: os.environ[name] for name in names if name in os.environ})


def _call_llm(
    agent: AgentVersion, request: AgentRequest, settings: Settings, guard: Guard | None, means: Means
) -> Called:
    from aispine.agent.llm.talk import Talk  # Here, as above.

    talk = Talk(agent, request, means, settings, guard)
    return Called(outcome=talk.run(), log="".join(f"{line}\n" for line in talk.log))


def _call_python(
    agent: AgentVersion, request: AgentRequest, settings: Settings, capture: Capture, around: Around | None
) -> Outcome:
    folder = locate(agent.agent_id, agent.folder or "", settings)
    if folder is None:
        return AgentFailure(
            code=FailureCode.UNAVAILABLE, message=f"the folder of agent {agent.agent_id} is not on this machine"
        )
    return python.execute(folder, agent.entry, request, capture, around or Around(files=FolderFiles(folder)))


def _checked(agent: AgentVersion, outcome: Outcome) -> Outcome:
    if not isinstance(outcome, AgentReply):
        return outcome
    misfits = output_misfits(agent, outcome.output)
    if not misfits:
        return outcome
    return _failure(FailureCode.INVALID_RESPONSE, "the output does not fit the output_schema", misfits)


def _failure(code: FailureCode, message: str, misfits: list[str]) -> AgentFailure:
    detail: dict[str, Any] = {"misfits": misfits}
    return AgentFailure(code=code, message=f"{message}: {misfits[0]}", detail=detail)
