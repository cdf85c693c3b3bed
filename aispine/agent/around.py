"""What a python agent finds around it: its tenant's files, and the person whom its execution talks to."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, NoReturn

from aispine.agent.author import AgentError, Conversation, Files
from aispine.agent.contract import FailureCode
from aispine.form import Filled, Form


class Nobody:
    """In place of a conversation: there is nobody to talk to."""

    @property
    def active(self) -> bool:
        return False

    def send(self, message: Mapping[str, Any], options: Mapping[str, Any]) -> list[str]:  # noqa: ARG002
        self._refuse()

    def ask(self, form: Form, filled: Filled, options: Mapping[str, Any]) -> NoReturn:  # noqa: ARG002
        self._refuse()

    def _refuse(self) -> NoReturn:
        message = "nobody to talk to: the execution was not started by a message over a channel"
        raise AgentError(message, code=FailureCode.INVALID_INPUT)


@dataclass(frozen=True, kw_only=True, slots=True)
class Around:
    """What is handed to an agent with its call."""

    files: Files
    conversation: Conversation = field(default_factory=Nobody)
