"""What an attempt of an llm agent is given besides its request."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from aispine.agent.llm.telling import Words
from aispine.agent.llm.toolbox import ToolBox


def nobody(_words: Words) -> None:
    """Nobody watches."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Means:
    """`secrets` by name; `spent` is what the node's metadata say of the attempts before; `tell` gets the words.

    Without `tools` an agent that has some fails.
    """

    tools: ToolBox | None = None
    secrets: Mapping[str, str] = field(default_factory=dict, repr=False)
    spent: Mapping[str, Any] = field(default_factory=dict)
    tell: Callable[[Words], None] = nobody
