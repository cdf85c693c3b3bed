"""The pieces of a streamed turn, put together as they come."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Any, Final

from aispine.flow.jsonvalue import parse
from aispine.flow.outcome import AgentFailure, FailureCode
from aispine.model import errors
from aispine.model.chat import ToolUse, Turn, Usage
from aispine.model.errors import ModelError

DONE: Final = b"[DONE]"
MOST_TOOL_USES: Final = 64


def events(lines: Iterable[bytes]) -> Iterator[bytes]:
    """The data of each server-sent event; comments and the other fields are passed over."""
    data: list[bytes] = []
    for line in lines:
        if line.startswith(b"data:"):
            data.append(line[5:].removeprefix(b" "))
        elif not line and data:
            yield b"\n".join(data)
            data = []
    if data:
        yield b"\n".join(data)


def read(lines: Iterable[bytes], told: Callable[[str], None]) -> Turn:
    """Reads a stream to its end; `told` gets each piece of text as it comes. Raises `ModelError`."""
    pieces, done = Pieces(told), False
    for data in events(lines):
        if data.strip() == DONE:
            done = True
            break
        pieces.add(_chunk(data))
    if not done and pieces.finish is None:
        raise ModelError(AgentFailure(code=FailureCode.UNAVAILABLE, message="the model's answer broke off"))
    return pieces.turn()


def whole(value: Any) -> Turn:
    """The turn in an answer that came in one piece. Raises `ModelError`."""
    pieces = Pieces(lambda _: None)
    choices = value.get("choices") if isinstance(value, Mapping) else None
    if not isinstance(choices, list) or not choices or not isinstance(choices[0], Mapping):
        raise unusable("it has no `choices`")
    message = choices[0].get("message")
    delta = message if isinstance(message, Mapping) else {}
    pieces.add({**value, "choices": [{"delta": delta, "finish_reason": choices[0].get("finish_reason")}]})
    return pieces.turn()


def unusable(why: str) -> ModelError:
    """An answer that is none of the protocol's."""
    message = f"the model's answer cannot be used: {why}"
    return ModelError(AgentFailure(code=FailureCode.INVALID_RESPONSE, message=message))


def _chunk(data: bytes) -> Mapping[str, Any]:
    try:
        chunk = parse(data)
    except ValueError as error:
        raise unusable(str(error)) from error
    if (broken := errors.error_of(chunk)) is not None:
        raise ModelError(errors.told(broken))
    if not isinstance(chunk, Mapping):
        raise unusable("a part of the stream is no object")
    return chunk


class Pieces:
    """What has come of a turn so far."""

    def __init__(self, told: Callable[[str], None]) -> None:
        self._told = told
        self._text: list[str] = []
        self._refusal: list[str] = []
        self._tools: dict[int, dict[str, str]] = {}
        self._usage: Usage | None = None
        self.finish: str | None = None

    def add(self, chunk: Mapping[str, Any]) -> None:
        """Takes the next piece."""
        self._usage = _usage(chunk.get("usage")) or self._usage
        choices = chunk.get("choices")
        choice = choices[0] if isinstance(choices, list) and choices else {}
        if not isinstance(choice, Mapping):
            raise unusable("a choice is no object")
        delta = choice.get("delta") or {}
        self._add_text(delta)
        for place, tool in enumerate(delta.get("tool_calls") or ()):
            self._add_tool(place, tool)
        self.finish = choice.get("finish_reason") or self.finish

    def _add_text(self, delta: Mapping[str, Any]) -> None:
        if isinstance(text := delta.get("content"), str) and text:
            self._text.append(text)
            self._told(text)
        if isinstance(refusal := delta.get("refusal"), str):
            self._refusal.append(refusal)

    def _add_tool(self, place: int, tool: Any) -> None:
        """A piece names the call that it belongs to by `index`; who sends a call whole may leave that out."""
        if not isinstance(tool, Mapping):
            raise unusable("a tool call is no object")
        index = tool.get("index", place)
        if not isinstance(index, int) or not 0 <= index < MOST_TOOL_USES:
            raise unusable(f"a tool call has the index {index!r}")
        function = tool.get("function") or {}
        found = self._tools.setdefault(index, {"id": "", "name": "", "arguments": ""})
        found["id"] = str(tool.get("id") or found["id"])
        found["name"] += str(function.get("name") or "")
        found["arguments"] += str(function.get("arguments") or "")

    def turn(self) -> Turn:
        """The whole turn."""
        text = "".join(self._text)
        uses = tuple(
            ToolUse(id=tool["id"] or f"call_{index}", name=tool["name"], arguments=tool["arguments"] or "{}")
            for index, tool in sorted(self._tools.items())
        )
        written = len(text) + sum(len(use.arguments) for use in uses)
        usage = self._usage or Usage(completion=guess(written), estimated=True)
        return Turn(text=text, tool_uses=uses, usage=usage, finish=self.finish, refusal="".join(self._refusal) or None)


def guess(characters: int) -> int:
    """About how many tokens a text has, where nobody tells."""
    return -(-characters // 4)


def _usage(told: Any) -> Usage | None:
    if not isinstance(told, Mapping):
        return None
    details = told.get("prompt_tokens_details")
    cached = _count(details.get("cached_tokens")) if isinstance(details, Mapping) else 0
    prompt = _count(told.get("prompt_tokens"))
    return Usage(prompt=prompt, completion=_count(told.get("completion_tokens")), cached=min(cached, prompt))


def _count(value: Any) -> int:
    return value if isinstance(value, int) and not isinstance(value, bool) and value > 0 else 0
