"""What the author of a python agent uses: the context of a call, the reply, and the way to fail."""

from __future__ import annotations

import logging
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Protocol


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
