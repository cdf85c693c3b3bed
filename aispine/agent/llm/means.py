"""What an attempt of an llm agent is given besides its request."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from aispine.agent.llm.telling import Words
from aispine.agent.llm.toolbox import ToolBox
from aispine.flow.outcome import AgentFailure
from aispine.model.chat import Model, Turn
from aispine.model.errors import ModelError


def nobody(_words: Words) -> None:
    """Nobody watches."""


Asked = Turn | ModelError
Through = Callable[[Model, float, Callable[[], Asked]], Asked | AgentFailure]


def always(_model: Model, _seconds: float, call: Callable[[], Asked]) -> Asked:
    """Makes every call."""
    return call()


@dataclass(frozen=True, kw_only=True, slots=True)
class Means:
    """`secrets` by name; `spent` is what the node's metadata say of the attempts before; `tell` gets the words.

    Without `tools` an agent that has some fails. `through` makes one call of a model, or does not, since that has
    failed again and again: it gets the model, the seconds that the call may take, and the call.
    """

    tools: ToolBox | None = None
    secrets: Mapping[str, str] = field(default_factory=dict, repr=False)
    spent: Mapping[str, Any] = field(default_factory=dict)
    tell: Callable[[Words], None] = nobody
    through: Through = always
