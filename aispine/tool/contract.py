"""What goes to a tool and what its answer means, in both contracts."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, Final

from aispine.flow.outcome import AgentFailure, AgentReply, Ended, FailureCode
from aispine.tool import endpoint
from aispine.tool.definition import Tool, ToolRequest

EXECUTE_PATH: Final = "/api/execute"
_BODILESS: Final = frozenset({"GET", "DELETE"})


@dataclass(frozen=True, kw_only=True, slots=True)
class Question:
    """One HTTP request to a tool, without what says who calls."""

    method: str
    url: str
    body: bytes | None = None
    headers: Mapping[str, str] = field(default_factory=dict)


def question(tool: Tool, request: ToolRequest) -> Question:
    """The request that one call is. Raises `endpoint.Unfillable` when the input cannot be sent so."""
    made = _older(tool, request) if tool.contract == "execute" else _plain(tool, request)
    ours = {"Idempotency-Key": request.idempotency_key, "X-AISpine-Attempt": str(request.attempt)}
    body = {"Content-Type": "application/json"} if made.body is not None else {}
    return Question(method=made.method, url=made.url, body=made.body, headers={**tool.headers, **body, **ours})


def _plain(tool: Tool, request: ToolRequest) -> Question:
    """The members of the input go where the endpoint names them, the rest into the query or the body."""
    names = endpoint.placeholders(tool.endpoint)
    bodiless = tool.method in _BODILESS
    if not names and not bodiless:
        return Question(method=tool.method, url=tool.endpoint, body=_json(request.input))
    if not isinstance(request.input, Mapping):
        raise endpoint.Unfillable("the input of this tool must be an object")
    url, rest = endpoint.fill(tool.endpoint, request.input)
    if bodiless:
        return Question(method=tool.method, url=endpoint.with_query(url, rest))
    return Question(method=tool.method, url=url, body=_json(rest))


def _older(tool: Tool, request: ToolRequest) -> Question:
    body = {
        "tool_id": tool.tool_id,
        "input_data": request.input,
        "config": dict(request.config),
        "execution_id": request.execution_id,
        "metadata": {"node_id": request.node_id, "attempt": request.attempt},
        "files": list(request.files) or list(_references(request.input)),
    }
    return Question(method="POST", url=tool.endpoint.rstrip("/") + EXECUTE_PATH, body=_json(body))


def _references(value: Any) -> Iterator[Mapping[str, Any]]:
    """The files that an input refers to, wherever in it."""
    if isinstance(value, Mapping) and {"file_id", "sha256"} <= value.keys():
        yield value
    elif isinstance(value, Mapping | list):
        for each in value.values() if isinstance(value, Mapping) else value:
            yield from _references(each)


def _json(value: Any) -> bytes:
    return json.dumps(value, allow_nan=False).encode()


def read(tool: Tool, status: int, value: Any) -> Ended:
    """What an answer with a good status means; `value` is its JSON, a text, or None."""
    if tool.contract == "http":
        return AgentReply(output=value, metadata={"status": status})
    return _read_older(value)


def _read_older(value: Any) -> Ended:
    if not isinstance(value, Mapping) or value.get("status") not in {"success", "error"}:
        return _invalid("`status` must be `success` or `error`")
    if value["status"] == "success":
        # What was written before the SDK of the older product says `data`.
        output = value["output_data"] if "output_data" in value else value.get("data")
        return AgentReply(output=output, metadata=_told(value))
    code, message = value.get("error_code"), value.get("error_message")
    return AgentFailure(
        code=FailureCode.AGENT_ERROR,
        message=str(message or "the tool reported an error without a message")[:2000],
        detail={"error_code": str(code)[:200]} if code else None,
    )


def _told(value: Mapping[str, Any]) -> dict[str, Any]:
    told = value.get("execution_time_ms")
    return {"processing_time": told / 1000} if isinstance(told, int | float) and not isinstance(told, bool) else {}


def _invalid(message: str) -> AgentFailure:
    return AgentFailure(code=FailureCode.INVALID_RESPONSE, message=f"the tool's answer does not fit: {message}")
