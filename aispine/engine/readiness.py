"""Whether an agent may be called at all, by what its last checks found; known for some seconds."""

from __future__ import annotations

import time
from typing import Final

from aispine.agent import rounds
from aispine.agent.contract import AgentFailure, FailureCode
from aispine.agent.definition import AgentVersion
from aispine.engine.attempts import NOT_CALLED
from aispine.store import agent_health
from aispine.store.database import Store


def unready(problem: str) -> AgentFailure:
    """The failure of an attempt whose agent is not to be called now."""
    return AgentFailure(code=FailureCode.UNAVAILABLE, message=problem, detail={NOT_CALLED: True})


class Readiness:
    """Remembers what keeps agents from being called."""

    KEPT: Final = 5.0

    def __init__(self) -> None:
        self._found: dict[tuple[str, str, str], tuple[float, str | None]] = {}

    def objection(self, store: Store, tenant_id: str, agent: AgentVersion) -> str | None:
        """Why the agent is not called now; None when it may be, as everything that runs here may."""
        if agent.kind != "http":
            return None
        key = (tenant_id, agent.agent_id, agent.version)
        until, problem = self._found.get(key, (0.0, None))
        if until < time.monotonic():
            with store.session(None) as session:
                problem = rounds.objection(agent_health.of_version(session, *key))
            self._found[key] = (time.monotonic() + self.KEPT, problem)
        return problem
