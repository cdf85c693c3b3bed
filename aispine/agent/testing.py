"""Runs an agent of a folder as a worker would, for its own tests and for `aispine agent test`."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from types import ModuleType
from typing import Any

from aispine.agent import manifest, module
from aispine.agent.call import Called, call
from aispine.agent.contract import AgentRequest, Outcome
from aispine.agent.definition import AgentVersion
from aispine.agent.sample import Sample, read_samples
from aispine.guards.rules import Guard
from aispine.settings import Settings


class LocalAgent:
    """An agent on this machine; `definition` is its `agent.yaml`, `samples` what its folder expects of it."""

    def __init__(self, folder: Path) -> None:
        self.definition = manifest.read(folder)
        self.samples = read_samples(folder)

    def run(self, input: Any, config: Mapping[str, Any] | None = None, *, attempt: int = 1) -> Outcome:  # noqa: A002
        """Calls the agent once and returns its reply or failure."""
        return self.call(input, config, attempt=attempt).outcome

    def call(self, input: Any, config: Mapping[str, Any] | None = None, *, attempt: int = 1) -> Called:  # noqa: A002
        """As `run`, with what the agent printed and logged."""
        settings = Settings()
        return call(self.definition, request_for(self.definition, input, config or {}, attempt, settings), settings)

    def module(self, name: str) -> ModuleType:
        """A module of the agent's folder, for tests of its parts."""
        folder = str(self.definition.folder)
        return module.part(folder, self.definition.entry, name)

    def misses(self, sample: Sample) -> list[str]:
        """Says in what the agent differs from a sample; empty when in nothing."""
        return sample.misses(self.outcome(sample))

    def outcome(self, sample: Sample) -> Outcome:
        """What comes of a sample; the models and tools of an llm agent are played."""
        return outcome_of(self.definition, sample, Settings())


def load_agent(path: str | Path) -> LocalAgent:
    """The agent whose folder holds `path`; a test says `load_agent(__file__)`. Raises `InvalidAgent`."""
    start = Path(path).absolute()
    inside = (folder for folder in (start, *start.parents) if (folder / manifest.FILE).is_file())
    return LocalAgent(next(inside, start))


def outcome_of(agent: AgentVersion, sample: Sample, settings: Settings, guard: Guard | None = None) -> Outcome:
    """Calls the agent with a sample; one that is a model gets it, and its tools, played as the sample says."""
    request = request_for(agent, sample.input, sample.config, 1, settings)
    if agent.kind != "llm":
        return call(agent, request, settings, guard).outcome
    from aispine.agent.llm.rehearsal import rehearse  # Here: the tests of most agents play no model.

    return rehearse(agent, request, sample, settings).outcome


def request_for(
    agent: AgentVersion, value: Any, config: Mapping[str, Any], attempt: int, settings: Settings
) -> AgentRequest:
    """A request as an execution of a single node would make it."""
    return AgentRequest(
        execution_id="00000000-0000-7000-8000-000000000000",
        node_id=agent.agent_id,
        path=agent.agent_id,
        attempt=attempt,
        idempotency_key=f"test/{agent.agent_id}",
        input=value,
        config=config,
        timeout=agent.timeout or settings.node_timeout,
        tenant_id="test",
    )
