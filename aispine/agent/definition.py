"""What a registered agent is: one version of it as a value."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Final, Literal

Kind = Literal["http", "python", "llm"]
KINDS: Final = ("python", "http", "llm")
Pool = Literal["quick", "cpu", "io"]
POOLS: Final = ("quick", "cpu", "io")
DEFAULT_ENTRY: Final = "agent:execute"


@dataclass(frozen=True, kw_only=True, slots=True)
class AgentVersion:
    """One version of an agent. `timeout` in seconds, None where the agent says none, and so `max_concurrency`.

    `folder` and `entry` (`module:function`) belong to python agents, `endpoint` and `credential` to http agents, `llm`
    (the keys of `aispine.agent.llm.recipe`) to those that are a model.
    """

    agent_id: str
    version: str
    kind: Kind
    name: str
    description: str | None = None
    capabilities: tuple[str, ...] = ()
    pool: Pool = "cpu"
    timeout: float | None = None
    input_schema: Mapping[str, Any] | None = field(default=None, hash=False)
    output_schema: Mapping[str, Any] | None = field(default=None, hash=False)
    rate_limit: Mapping[str, int] = field(default_factory=dict, hash=False)
    max_concurrency: int | None = None
    endpoint: str | None = None
    credential: str | None = field(default=None, repr=False)
    """The API key, encrypted; `aispine.agent.credential` opens it."""
    folder: str | None = None
    entry: str = DEFAULT_ENTRY
    llm: Mapping[str, Any] | None = field(default=None, hash=False)
