"""What the author of a python agent uses: the context of a call, the reply, and the way to fail."""

from __future__ import annotations

import logging
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Protocol

from aispine.form import Filled, Form


class Files(Protocol):
    """The files that an agent's tenant has; `file` is a reference from the input, or its `file_id`.

    A file that cannot be had ends the attempt as an `AgentError` does: `invalid_input`, or `unavailable`.
    """

    def info(self, file: str | Mapping[str, Any]) -> dict[str, Any]:
        """The reference: `file_id`, `name`, `media_type`, `size` in bytes, `sha256`."""

    def read(self, file: str | Mapping[str, Any]) -> bytes:
        """The content."""

    def write(self, content: bytes, *, name: str, media_type: str | None = None) -> dict[str, Any]:
        """Keeps a content and returns the reference to put into the output."""


class Conversation(Protocol):
    """The person on a messaging channel with whom the execution began, if there is one."""

    @property
    def active(self) -> bool:
        """True when there is such a person."""

    def send(self, message: Mapping[str, Any], options: Mapping[str, Any]) -> list[str]:
        """Sends a message: `text`, `file`, `buttons`, `template`; returns the ids of what is on its way.

        Of `options`: `to` is `contact` or `staff`; `approval` names the approval beside the node that buttons answer;
        `remind_after`, in seconds, sends it again while that approval waits. What is wrong ends the attempt.
        """

    def ask(self, form: Form, filled: Filled, options: Mapping[str, Any]) -> Reply | Accepted:
        """Asks for what a form still wants, over up to `max_turns` messages, and lets the node wait meanwhile.

        The node ends with the output of the form. Of `options`: `question` and `again` are what is said first and
        afterwards; `max_turns`; `wait`, the seconds until it is too late.
        """


@dataclass(frozen=True, kw_only=True, slots=True)
class Context:
    """The call that an agent serves. `timeout` in seconds; `attempt` counts from 1.

    `idempotency_key` is the same over all attempts of one node, so that an effect outside can be made once.
    """

    execution_id: str
    node_id: str
    path: str
    attempt: int
    idempotency_key: str
    tenant_id: str
    timeout: float
    log: logging.Logger
    files: Files
    conversation: Conversation
    callback_url: str | None = None
    """Where the answer is posted later when the agent returns `Accepted`; whoever has it can answer once."""


@dataclass(frozen=True, slots=True)
class Reply:
    """An agent's answer when there is more to say than its data: a `message` for people, and `metadata`."""

    data: Any
    message: str | None = None
    metadata: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Accepted:
    """Returned by an agent whose answer comes later: posted to `context.callback_url`, within `timeout` seconds.

    Without a `timeout` it is the node's.
    """

    timeout: float | None = None


class AgentError(Exception):
    """Raised by an agent that cannot do what was asked.

    `code` is one of the platform's failure codes (`unavailable`, `rate_limited`, ...) or the agent's own; an own code
    is shown beside `agent_error`, or beside `unavailable` when `retryable`. `retry_after` in seconds.
    """

    def __init__(
        self,
        message: str,
        *,
        code: str = "agent_error",
        retryable: bool = False,
        retry_after: float | None = None,
        detail: Mapping[str, Any] | None = None,
    ) -> None:
        super().__init__(message)
        self.message = message
        self.code = code
        self.retryable = retryable
        self.retry_after = retry_after
        self.detail = detail
