"""The agent contract as values: what an agent is asked, what it may answer, and what is wrong with an answer."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Final

from aispine.flow.outcome import AgentAccepted, AgentFailure, AgentReply, Ended, FailureCode, Outcome

CALLBACK_HEADER: Final = "X-AISpine-Callback"
LONGEST_WAIT: Final = 7 * 86400
"""Seconds that an agent may take at most after it has accepted."""


__all__ = [
    "AgentAccepted",
    "AgentFailure",
    "AgentReply",
    "AgentRequest",
    "ContractError",
    "Ended",
    "FailureCode",
    "Health",
    "Outcome",
    "flow_output",
    "read_accepted",
    "read_health",
    "read_reply",
]


@dataclass(frozen=True, kw_only=True, slots=True)
class AgentRequest:
    """One attempt's question. `timeout` in seconds; `attempt` counts from 1."""

    execution_id: str
    node_id: str
    path: str
    attempt: int
    idempotency_key: str
    input: Any
    config: Mapping[str, Any]
    timeout: float
    tenant_id: str
    traceparent: str | None = None
    callback_url: str | None = None
    """Where an agent that accepts posts its answer later; None where nobody could reach it."""

    def body(self) -> dict[str, Any]:
        """The JSON that `POST /execute` takes."""
        return {
            "execution_id": self.execution_id,
            "node_id": self.node_id,
            "input": self.input,
            "config": dict(self.config),
        }


@dataclass(frozen=True, kw_only=True, slots=True)
class Health:
    """The answer to `GET /health`; `version` without a leading v."""

    agent_id: str
    version: str
    ready: bool
    capabilities: tuple[str, ...] = ()
    endpoint: str | None = None
    rate_limit: Mapping[str, int] = field(default_factory=dict)
    max_concurrency: int | None = None


class ContractError(ValueError):
    """An answer that does not fit the contract; the message names the path of what is wrong."""


def read_health(body: Any) -> Health:
    """Reads the answer to `GET /health`. Raises `ContractError`."""
    fields = _object(body, "the answer")
    limits = _object(fields.get("rate_limit") or {}, "`rate_limit`")
    return Health(
        agent_id=_string(fields, "agent_id"),
        version=_version(_string(fields, "version")),
        ready=_boolean(fields, "ready"),
        capabilities=_strings(fields, "capabilities"),
        endpoint=_optional_string(fields, "endpoint", ""),
        rate_limit={name: _count(limits[name], f"rate_limit.{name}") for name in RATE_LIMITS if name in limits},
        max_concurrency=_optional_count(fields, "max_concurrency"),
    )


RATE_LIMITS: Final = ("requests_per_minute", "requests_per_hour")


def read_accepted(body: Any) -> AgentAccepted:
    """Reads an answer with status 202 to `POST /execute`. Raises `ContractError`."""
    fields = _object(body, "the answer")
    if fields.get("status") != "accepted":
        raise ContractError(f'`status` of an answer 202 must be "accepted", not {_short(fields.get("status"))}')
    timeout = fields.get("timeout")
    if timeout is None:
        return AgentAccepted()
    if isinstance(timeout, bool) or not isinstance(timeout, int | float) or not 0 < timeout <= LONGEST_WAIT:
        raise ContractError(f"`timeout` must be seconds above 0 and up to {LONGEST_WAIT}, not {_short(timeout)}")
    return AgentAccepted(timeout=float(timeout))


def read_reply(body: Any, execution_id: str) -> Ended:
    """Reads the answer to `POST /execute`, or what a callback brings. Raises `ContractError`.

    An answer without `execution_id` is taken; one that names another execution is not.
    """
    fields = _object(body, "the answer")
    named = _optional_string(fields, "execution_id", "")
    if named is not None and named != execution_id:
        raise ContractError(f"`execution_id` is {named!r}, but the question was {execution_id!r}")
    status = _string(fields, "status")
    if status == "success":
        return _reply(fields)
    if status == "error":
        return _failure(fields)
    raise ContractError(f'`status` must be "success" or "error", not {_short(status)}')


def _reply(fields: Mapping[str, Any]) -> AgentReply:
    if "output" not in fields:
        raise ContractError("`output` is missing")
    output = _object(fields["output"], "`output`")
    message = _optional_string(output, "message", "output.")
    metadata = _object({} if output.get("metadata") is None else output["metadata"], "`output.metadata`")
    return AgentReply(output=flow_output(output.get("data"), message), message=message, metadata=metadata)


def flow_output(data: Any, message: str | None) -> Any:
    """What a flow sees as `output`: the data, or an object that holds the message when there are none."""
    if data is not None:
        return data
    return {} if message is None else {"message": message}


def _failure(fields: Mapping[str, Any]) -> AgentFailure:
    message = _optional_string(fields, "error_message", "") or "the agent reported an error without a message"
    code = _optional_string(fields, "error_code", "")
    return AgentFailure(
        code=FailureCode.AGENT_ERROR, message=message[:2000], detail={"error_code": code[:200]} if code else None
    )


_VERSION: Final = re.compile(r"v?(\d+\.\d+\.\d+(?:-[0-9A-Za-z.-]+)?(?:\+[0-9A-Za-z.-]+)?)")


def _version(text: str) -> str:
    match = _VERSION.fullmatch(text)
    if match is None:
        raise ContractError(f"`version` must be a semantic version such as 1.4.0, not {_short(text)}")
    return match[1]


def _object(value: Any, name: str) -> Mapping[str, Any]:
    if not isinstance(value, Mapping):
        raise ContractError(f"{name} must be a JSON object, not {_kind(value)}")
    return value


def _string(fields: Mapping[str, Any], name: str) -> str:
    value = _required(fields, name)
    if not isinstance(value, str) or not value:
        raise ContractError(f"`{name}` must be a non-empty string, not {_short(value)}")
    return value


def _optional_string(fields: Mapping[str, Any], name: str, prefix: str) -> str | None:
    value = fields.get(name)
    if value is not None and not isinstance(value, str):
        raise ContractError(f"`{prefix}{name}` must be a string, not {_kind(value)}")
    return value


def _boolean(fields: Mapping[str, Any], name: str) -> bool:
    value = _required(fields, name)
    if not isinstance(value, bool):
        raise ContractError(f"`{name}` must be true or false, not {_short(value)}")
    return value


def _strings(fields: Mapping[str, Any], name: str) -> tuple[str, ...]:
    value = _required(fields, name)
    if not isinstance(value, list) or not all(isinstance(item, str) for item in value):
        raise ContractError(f"`{name}` must be a list of strings, not {_short(value)}")
    return tuple(value)


def _count(value: Any, name: str) -> int:
    if not isinstance(value, int) or isinstance(value, bool) or value < 1:
        raise ContractError(f"`{name}` must be a whole number above 0, not {_short(value)}")
    return value


def _optional_count(fields: Mapping[str, Any], name: str) -> int | None:
    return None if fields.get(name) is None else _count(fields[name], name)


def _required(fields: Mapping[str, Any], name: str) -> Any:
    if name not in fields:
        raise ContractError(f"`{name}` is missing")
    return fields[name]


def _kind(value: Any) -> str:
    names = {type(None): "null", bool: "a boolean", str: "a string", list: "a list", dict: "an object"}
    return names.get(type(value), "a number")


def _short(value: Any) -> str:
    text = repr(value)
    return text if len(text) <= 60 else f"{text[:57]}..."
