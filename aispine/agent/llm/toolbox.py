"""The tools of an llm agent: told to the model, called when it asks for them, and nothing beyond those that it has.

What a tool says of itself and answers is data: it goes to the model as such, and decides about nothing here.
"""

from __future__ import annotations

import hashlib
import json
from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any, Final, Protocol

from aispine.errors import InvalidInput
from aispine.flow.inputs import check_value
from aispine.flow.jsonvalue import parse
from aispine.flow.outcome import AgentFailure, Ended, FailureCode
from aispine.model.chat import Function, ToolUse
from aispine.tool.definition import Tool

MOST_SAID: Final = 2_000
"""Characters of a tool's description that the model is told."""
MOST_ANSWERED: Final = 40_000
"""Characters of a tool's answer that the model is told."""
_NO_PARAMETERS: Final[Mapping[str, Any]] = {"type": "object", "properties": {}}


class ToolBox(Protocol):
    """Finds and calls the tools of one attempt."""

    def find(self, tool_ids: Sequence[str]) -> Mapping[str, Tool]:
        """Raises `NotFound` for the first that is not there."""

    def call(self, tool: Tool, value: Any, *, seconds: float, idempotency_key: str) -> Ended:
        """Calls a tool once."""


class Uses:
    """The tools that a model may use in one attempt, and the answers to its uses of them."""

    def __init__(self, box: ToolBox, tools: Mapping[str, Tool], idempotency_key: str) -> None:
        self._box = box
        self._tools = tools
        self._key = idempotency_key
        self._same: Counter[str] = Counter()
        self.made: list[str] = []
        """The names of the tools that were called, in that order."""

    @property
    def functions(self) -> tuple[Function, ...]:
        """The tools as the model is told of them."""
        return tuple(map(_function, self._tools.values()))

    def answer(self, use: ToolUse, seconds: float) -> dict[str, Any]:
        """The message that answers one use: what the tool said, or why there is no answer."""
        outcome = self._called(use, seconds)
        if isinstance(outcome, AgentFailure):
            said: Any = {"error": {"code": str(outcome.code), "message": outcome.message}}
        else:
            said = outcome.output
        return {"role": "tool", "tool_call_id": use.id, "content": _shortened(json.dumps(said, ensure_ascii=False))}

    def _called(self, use: ToolUse, seconds: float) -> Ended:
        tool = self._tools.get(use.name)
        if tool is None:
            known = ", ".join(self._tools) or "none"
            return _refused(f"there is no tool {use.name[:100]!r}; there is: {known}")
        try:
            value = parse(use.arguments.encode())
            check_value(parameters(tool), value, "arguments")
        except InvalidInput as error:
            return _refused(error.message)
        except ValueError as error:
            return _refused(f"the arguments are not JSON: {error}")
        self.made.append(tool.tool_id)
        return self._box.call(tool, value, seconds=seconds, idempotency_key=self._key_of(use.name, value))

    def _key_of(self, name: str, value: Any) -> str:
        """The same in every attempt that asks the same thing, so that a tool has its effect once."""
        text = json.dumps([name, value], sort_keys=True)
        digest = hashlib.sha256(text.encode()).hexdigest()[:16]
        self._same[digest] += 1
        return f"{self._key}:{digest}:{self._same[digest]}"


def parameters(tool: Tool) -> Mapping[str, Any]:
    """The JSON Schema of an object that a model writes for a tool."""
    return {"type": "object", **(tool.input_schema or _NO_PARAMETERS)}


def _function(tool: Tool) -> Function:
    said = (tool.description or tool.name)[:MOST_SAID]
    return Function(name=tool.tool_id, description=said, parameters=parameters(tool))


def _refused(message: str) -> AgentFailure:
    return AgentFailure(code=FailureCode.INVALID_INPUT, message=message[:1000])


def _shortened(text: str) -> str:
    if len(text) <= MOST_ANSWERED:
        return text
    return f"{text[:MOST_ANSWERED]} ... ({len(text) - MOST_ANSWERED} characters more were left out)"
