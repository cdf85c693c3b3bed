"""What a registered tool is, and one call of it, as values."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final, Literal

Contract = Literal["http", "execute"]
CONTRACTS: Final = ("http", "execute")
METHODS: Final = ("GET", "POST", "PUT", "PATCH", "DELETE")
NO_AUTH: Final[Mapping[str, Any]] = {"type": "none"}


@dataclass(frozen=True, kw_only=True, slots=True)
class Tool:
    """A tool. `timeout` in seconds, None where it says none.

    With the contract `http` the `endpoint` is the URL that is called, `{name}` in it a member of the input. With
    `execute`, the older contract, it is what `/api/execute`, `/health` and `/schema` are appended to.
    """

    tool_id: str
    name: str
    endpoint: str
    description: str | None = None
    contract: Contract = "http"
    method: str = "POST"
    headers: Mapping[str, str] = field(default_factory=dict)
    input_schema: Mapping[str, Any] | None = None
    output_schema: Mapping[str, Any] | None = None
    auth: Mapping[str, Any] = field(default_factory=lambda: dict(NO_AUTH))
    """`auth_config` without what is secret in it."""
    timeout: float | None = None
    credential: str | None = field(default=None, repr=False)
    """What is secret in `auth_config`, encrypted."""


@dataclass(frozen=True, kw_only=True, slots=True)
class ToolRequest:
    """One attempt to call a tool. `timeout` in seconds; `key` names the call for whoever may end it.

    `idempotency_key` is the same over all attempts, so that the tool can have its effect once.
    """

    tenant_id: str
    execution_id: str
    node_id: str
    input: Any
    timeout: float
    idempotency_key: str
    config: Mapping[str, Any] = field(default_factory=dict)
    files: Sequence[Mapping[str, Any]] = ()
    attempt: int = 1
    key: str | None = None
