"""A model, what it is asked, and one turn of its answer, as values."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final, Literal

Structured = Literal["json_schema", "json_object", "none"]
STRUCTURED: Final = ("json_schema", "json_object", "none")
LIMIT_FIELDS: Final = ("max_tokens", "max_completion_tokens")
MILLION: Final = 1_000_000
Message = Mapping[str, Any]


@dataclass(frozen=True, kw_only=True, slots=True)
class Prices:
    """US dollars for a million tokens; `cached` those of a prompt that the provider had in its cache."""

    input: float
    output: float
    cached: float | None = None


@dataclass(frozen=True, kw_only=True, slots=True)
class Usage:
    """Tokens spent; `cached` are among `prompt`. `estimated` when the provider told none and they were guessed."""

    prompt: int = 0
    completion: int = 0
    cached: int = 0
    estimated: bool = False

    @property
    def total(self) -> int:
        return self.prompt + self.completion

    def cost(self, prices: Prices) -> float:
        """What that costs, in US dollars."""
        cached = prices.input if prices.cached is None else prices.cached
        fresh = self.prompt - self.cached
        return (fresh * prices.input + self.cached * cached + self.completion * prices.output) / MILLION


@dataclass(frozen=True, kw_only=True, slots=True)
class Model:
    """One model behind one endpoint. `params` go into each request as they are."""

    base_url: str
    model: str
    prices: Prices | None = None
    params: Mapping[str, Any] = field(default_factory=dict)
    structured: Structured = "json_schema"
    limit_field: str = "max_tokens"
    stream: bool = True

    @property
    def url(self) -> str:
        return f"{self.base_url.rstrip('/')}/chat/completions"


@dataclass(frozen=True, kw_only=True, slots=True)
class Function:
    """A tool as a model is told of it."""

    name: str
    description: str
    parameters: Mapping[str, Any]


@dataclass(frozen=True, kw_only=True, slots=True)
class Question:
    """What a model is asked. `output_schema` is what its text must fit, `max_tokens` what it may write at most."""

    messages: Sequence[Message]
    functions: Sequence[Function] = ()
    output_schema: Mapping[str, Any] | None = None
    max_tokens: int | None = None


@dataclass(frozen=True, kw_only=True, slots=True)
class ToolUse:
    """A tool that the model wants called; `arguments` is the JSON text that it wrote."""

    id: str
    name: str
    arguments: str


@dataclass(frozen=True, kw_only=True, slots=True)
class Turn:
    """One turn of a model's answer. `finish` is the provider's word for why it stopped."""

    text: str
    usage: Usage
    finish: str | None = None
    refusal: str | None = None
    tool_uses: tuple[ToolUse, ...] = ()

    def message(self) -> dict[str, Any]:
        """The turn as the message that goes back to the model with what follows."""
        said: dict[str, Any] = {"role": "assistant", "content": self.text or None}
        if self.tool_uses:
            said["tool_calls"] = [
                {"id": use.id, "type": "function", "function": {"name": use.name, "arguments": use.arguments}}
                for use in self.tool_uses
            ]
        return said


def body(model: Model, question: Question) -> dict[str, Any]:
    """The JSON of a request."""
    made: dict[str, Any] = {"model": model.model, "messages": list(question.messages), **model.params}
    if question.functions:
        made["tools"] = [_function(function) for function in question.functions]
    if question.output_schema is not None and model.structured != "none":
        made["response_format"] = _format(model.structured, question.output_schema)
    if question.max_tokens is not None:
        made[model.limit_field] = min(question.max_tokens, made.get(model.limit_field) or question.max_tokens)
    if model.stream:
        made |= {"stream": True, "stream_options": {"include_usage": True}}
    return made


def _function(function: Function) -> dict[str, Any]:
    told = {"name": function.name, "description": function.description, "parameters": dict(function.parameters)}
    return {"type": "function", "function": told}


def _format(structured: Structured, schema: Mapping[str, Any]) -> dict[str, Any]:
    if structured == "json_object":
        return {"type": "json_object"}
    return {"type": "json_schema", "json_schema": {"name": "output", "schema": dict(schema)}}
