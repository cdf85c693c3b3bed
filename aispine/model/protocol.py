"""What a request to a chat endpoint must look like: the rules that providers hold callers to."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Final

from aispine.flow.inputs import schema_problem

_NAME: Final = re.compile(r"[a-zA-Z0-9_-]{1,64}")
_KEYS: Final = frozenset(
    {"model", "messages", "tools", "tool_choice", "response_format", "stream", "stream_options", "temperature", "top_p"}
    | {"max_tokens", "max_completion_tokens", "stop", "seed", "user", "frequency_penalty", "presence_penalty"}
    | {"reasoning_effort", "parallel_tool_calls"}
)
_ROLES: Final = frozenset({"system", "developer", "user", "assistant", "tool"})


def problem(body: Any) -> str | None:
    """The first thing that is wrong with a request, None when nothing is."""
    if not isinstance(body, Mapping):
        return "the body must be an object"
    return next(_problems(body), None)


def _problems(body: Mapping[str, Any]) -> Iterator[str]:
    yield from (f"unknown parameter: `{name}`" for name in sorted(body.keys() - _KEYS))
    if not isinstance(body.get("model"), str) or not body["model"]:
        yield "`model` is required"
    if "stream_options" in body and not body.get("stream"):
        yield "`stream_options` is only allowed with `stream`"
    for name in ("max_tokens", "max_completion_tokens"):
        if name in body and (not isinstance(body[name], int) or body[name] < 1):
            yield f"`{name}` must be a whole number above 0"
    yield from _of_messages(body.get("messages"))
    yield from _of_tools(body.get("tools"))
    yield from _of_format(body.get("response_format"))


def _of_messages(messages: Any) -> Iterator[str]:
    if not isinstance(messages, list) or not messages:
        yield "`messages` must be a list with at least one message"
        return
    wanted: set[str] = set()
    for place, message in enumerate(messages):
        if not isinstance(message, Mapping) or message.get("role") not in _ROLES:
            yield f"messages[{place}] has no known role"
            return
        if message["role"] == "tool":
            if message.get("tool_call_id") not in wanted:
                yield f"messages[{place}] answers no tool call before it"
            wanted.discard(str(message.get("tool_call_id")))
        elif wanted:
            yield f"messages[{place}]: tool calls have no answers: {', '.join(sorted(wanted))}"
        yield from _of_message(place, message)
        wanted |= {call["id"] for call in message.get("tool_calls") or ()}
    if wanted:
        yield "the last tool calls have no answers"


def _of_message(place: int, message: Mapping[str, Any]) -> Iterator[str]:
    calls, content = message.get("tool_calls"), message.get("content")
    if not isinstance(content, str) and not (message["role"] == "assistant" and content is None and calls):
        yield f"messages[{place}].content must be a text"
    if calls is None:
        return
    if message["role"] != "assistant" or not isinstance(calls, list) or not calls:
        yield f"messages[{place}].tool_calls must be a list with calls, in a message of the assistant"
        return
    for call in calls:
        function = call.get("function") or {}
        if not call.get("id") or call.get("type") != "function" or not isinstance(function.get("arguments"), str):
            yield f"messages[{place}].tool_calls has a call without `id`, `type` or `function.arguments`"


def _of_tools(tools: Any) -> Iterator[str]:
    if tools is None:
        return
    if not isinstance(tools, list) or not tools:
        yield "`tools` must be a list with at least one tool"
        return
    for tool in tools:
        function = tool.get("function") if isinstance(tool, Mapping) and tool.get("type") == "function" else None
        if not isinstance(function, Mapping) or not _NAME.fullmatch(str(function.get("name") or "")):
            yield "a tool must be a function with a name of letters, digits, `_` and `-`"
        elif (function.get("parameters") or {}).get("type") != "object" or schema_problem(function["parameters"]):
            yield f"the parameters of `{function['name']}` must be a JSON Schema of an object"


def _of_format(wanted: Any) -> Iterator[str]:
    if wanted in (None, {"type": "json_object"}, {"type": "text"}):
        return
    schema = wanted.get("json_schema") if isinstance(wanted, Mapping) and wanted.get("type") == "json_schema" else None
    if not isinstance(schema, Mapping) or not _NAME.fullmatch(str(schema.get("name") or "")):
        yield "`response_format.json_schema` needs a `name`"
    elif not isinstance(schema.get("schema"), Mapping) or schema_problem(schema["schema"]):
        yield "`response_format.json_schema.schema` is not a JSON Schema"


def functions(body: Mapping[str, Any]) -> Sequence[str]:
    """The names of the tools that a request allows."""
    return [tool["function"]["name"] for tool in body.get("tools") or ()]
