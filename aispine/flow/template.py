"""Templates: JSON values whose texts hold `${...}` selections."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, Final, Protocol

from aispine.errors import ExpressionError
from aispine.flow import references, secret
from aispine.flow.references import References, malformed, shorten
from aispine.flow.selection import Selection
from aispine.flow.size import LIMIT, measure


class _Part(Protocol):
    @property
    def references(self) -> References: ...

    def render(self, scope: Mapping[str, Any]) -> Any: ...

    def fill(self, value: Any, secrets: Mapping[str, str]) -> Any: ...


@dataclass(frozen=True, kw_only=True, slots=True)
class Template:
    """A JSON value in which every `${...}` is replaced by what it selects.

    A lone `${...}` keeps the type of what it selects; inside a longer text an object or list becomes JSON and null
    becomes nothing. `$${` stands for `${` itself. Keys of objects are taken as they are. `${secrets.NAME}` stays as it
    is written until `fill` puts the secrets in.
    """

    source: Any
    references: References = field(compare=False, repr=False)
    constant: bool = field(compare=False, repr=False)
    _part: _Part = field(compare=False, repr=False)
    _builds: bool = field(compare=False, repr=False)

    @classmethod
    def parse(cls, value: Any) -> Template:
        """Reads a template out of a JSON value; raises `ExpressionError` with the column inside the text."""
        part = _compile(value)
        return cls(
            source=value,
            references=part.references,
            constant=isinstance(part, _Constant),
            _part=part,
            _builds=isinstance(part, _Object | _Array),
        )

    def render(self, scope: Mapping[str, Any]) -> Any:
        """The value for one scope. A constant is returned as it is, so callers do not change what they get."""
        value = self._part.render(scope)
        if self._builds:
            _check_size(self.source, value)
        return value

    def fill(self, value: Any, secrets: Mapping[str, str]) -> Any:
        """A rendered value with its secrets; only where the template names them, whatever the data say."""
        return self._part.fill(value, secrets) if self.references.secrets else value


def _check_size(source: Any, value: Any) -> None:
    # A value may be named many times, by this node and by each that follows it: small in memory, huge in writing.
    try:
        measure(value)
    except ExpressionError as error:
        text = shorten(json.dumps(source, ensure_ascii=False, default=str))
        raise ExpressionError(f"{text} cannot be rendered: {error.message}") from error


class _Plain:
    """A part without secrets."""

    __slots__ = ()

    def fill(self, value: Any, secrets: Mapping[str, str]) -> Any:  # noqa: ARG002 # It has none.
        return value


@dataclass(frozen=True, slots=True)
class _Secret:
    """A text with secrets; what else is in it is written in the file, so that no data can stand for one."""

    source: str
    names: frozenset[str]

    @property
    def references(self) -> References:
        return References(secrets=self.names)

    def render(self, scope: Mapping[str, Any]) -> Any:  # noqa: ARG002 # It is known to the call alone.
        return self.source

    def fill(self, value: Any, secrets: Mapping[str, str]) -> Any:  # noqa: ARG002 # What was stored is the source.
        return secret.unescaped(secret.fill(self.source, secrets))


@dataclass(frozen=True, slots=True)
class _Constant(_Plain):
    value: Any
    references: References = references.NOTHING

    def render(self, scope: Mapping[str, Any]) -> Any:  # noqa: ARG002 # A constant looks at no scope.
        return self.value


@dataclass(frozen=True, slots=True)
class _Lone(_Plain):
    selection: Selection

    @property
    def references(self) -> References:
        return self.selection.references

    def render(self, scope: Mapping[str, Any]) -> Any:
        return self.selection.select(scope)


@dataclass(frozen=True, slots=True)
class _Text(_Plain):
    parts: tuple[str | Selection, ...]

    @property
    def references(self) -> References:
        return references.union(part.references for part in self.parts if isinstance(part, Selection))

    def render(self, scope: Mapping[str, Any]) -> str:
        texts: list[str] = []
        length = 0
        for part in self.parts:
            texts.append(part if isinstance(part, str) else _stringify(part.select(scope)))
            length += len(texts[-1])
            if length > LIMIT:
                raise ExpressionError(f"a text with ${{...}} is longer than {LIMIT:,} characters")
        return "".join(texts)


@dataclass(frozen=True, slots=True)
class _Object:
    members: tuple[tuple[str, _Part], ...]

    @property
    def references(self) -> References:
        return references.union(part.references for _, part in self.members)

    def render(self, scope: Mapping[str, Any]) -> dict[str, Any]:
        return {key: part.render(scope) for key, part in self.members}

    def fill(self, value: Any, secrets: Mapping[str, str]) -> Any:
        return {key: part.fill(value[key], secrets) for key, part in self.members}


@dataclass(frozen=True, slots=True)
class _Array:
    items: tuple[_Part, ...]

    @property
    def references(self) -> References:
        return references.union(part.references for part in self.items)

    def render(self, scope: Mapping[str, Any]) -> list[Any]:
        return [part.render(scope) for part in self.items]

    def fill(self, value: Any, secrets: Mapping[str, str]) -> Any:
        return [part.fill(each, secrets) for part, each in zip(self.items, value, strict=True)]


def _compile(value: Any) -> _Part:
    if isinstance(value, str):
        return _compile_text(value)
    if isinstance(value, Mapping):
        members = tuple((key, _compile(item)) for key, item in value.items())
        return _Constant(value) if _all_constant(part for _, part in members) else _Object(members)
    if isinstance(value, list | tuple):
        items = tuple(map(_compile, value))
        return _Constant(value) if _all_constant(iter(items)) else _Array(items)
    return _Constant(value)


def _all_constant(parts: Iterator[_Part]) -> bool:
    """True when rendering changes nothing; an escaped text differs from its source."""
    return all(isinstance(part, _Constant) for part in parts)


def _compile_text(text: str) -> _Part:
    if "${" not in text:
        return _Constant(text)
    if found := secret.names(text):
        return _secret(text, found)
    parts = tuple(_split(text))
    if len(parts) == 1 and isinstance(parts[0], Selection):
        return _Lone(parts[0])
    return _Text(parts)


def _secret(text: str, found: frozenset[str]) -> _Secret:
    """A secret is filled in where its text is written, so no data may stand in that text."""
    start = 0
    while (at := text.find("${", start)) >= 0:
        escaped = at > start and text[at - 1] == "$"
        start = at + 2 if escaped else _closing(text, at + 2) + 1
        if not escaped and secret.named(text[at + 2 : start - 1]) is None:
            why = "beside a secret a text can hold no other `${...}`"
            raise malformed(text, why, at + 1, hint="Give the secret a field of its own.")
    return _Secret(text, found)


def _split(text: str) -> Iterator[str | Selection]:
    start = 0
    while (at := text.find("${", start)) >= 0:
        if at > start and text[at - 1] == "$":
            yield text[start : at - 1] + "${"
            start = at + 2
            continue
        if at > start:
            yield text[start:at]
        end = _closing(text, at + 2)
        yield _selection(text, at + 2, end)
        start = end + 1
    if start < len(text):
        yield text[start:]


def _selection(text: str, start: int, end: int) -> Selection:
    try:
        return Selection.parse(text[start:end])
    except ExpressionError as error:
        column = start + error.errors[0]["column"]
        raise malformed(text, error.errors[0]["message"], column, hint=error.hint) from error


_QUOTES: Final = frozenset("'\"`")


def _closing(text: str, start: int) -> int:
    """The place of the `}` that ends the selection; braces inside and inside quotes do not count."""
    depth = 0
    position = start
    while position < len(text):
        character = text[position]
        if character in _QUOTES:
            position = _end_of_quote(text, position)
        elif character == "{":
            depth += 1
        elif character == "}":
            if depth == 0:
                return position
            depth -= 1
        position += 1
    raise malformed(text, "`${` is never closed", start - 1, hint="Write `$${` for a literal `${`.")


def _end_of_quote(text: str, start: int) -> int:
    position = start + 1
    while position < len(text) and text[position] != text[start]:
        position += 2 if text[position] == "\\" else 1
    return position


def _stringify(value: Any) -> str:
    if value is None:
        return ""
    if isinstance(value, str):
        return value
    return json.dumps(value, ensure_ascii=False)
