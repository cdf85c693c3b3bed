"""What checking one value against a JSON Schema can cost, found out without checking any."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, Final
from urllib.parse import unquote

LIMIT: Final = 10_000
"""How many schemas may apply to one and the same value."""

_LISTS: Final = ("allOf", "anyOf", "oneOf")
_SINGLE: Final = ("not", "if", "then", "else")
REFERENCES: Final = ("$ref", "$dynamicRef")


class Endless(ValueError):
    """The schema refers to itself without end."""


def check_cost(schema: Any) -> None:
    """Raises `Endless` for a schema that applies itself to the same value, `ValueError` for one with too many parts."""
    known: dict[int, int] = {}
    for part in _schemas(schema):
        if _cost(part, schema, known, set()) > LIMIT:
            raise ValueError(f"more than {LIMIT:,} schemas apply to one value")


def resolve(target: str, root: Any) -> Any:
    """What a reference `#/...` points to; raises `LookupError` when it leads nowhere."""
    place = root
    for step in filter(None, unquote(target).removeprefix("#").split("/")):
        name = step.replace("~1", "/").replace("~0", "~")
        place = place[int(name)] if isinstance(place, list) and name.isdecimal() else _member(place, name)
    return place


def _member(place: Any, name: str) -> Any:
    if not isinstance(place, Mapping):
        raise LookupError(name)
    return place[name]


def _cost(part: Any, root: Any, known: dict[int, int], open_: set[int]) -> int:
    """The schemas that apply where this one does, itself included."""
    key = id(part)
    if key in open_:
        raise Endless("the schema refers to itself without end")
    if key not in known:
        open_.add(key)
        known[key] = 1 + sum(_cost(each, root, known, open_) for each in _in_place(part, root))
        open_.discard(key)
    return known[key]


def _in_place(part: Any, root: Any) -> Iterator[Any]:
    """The schemas that this one applies to the very value that it is applied to."""
    if not isinstance(part, Mapping):
        return
    for name in REFERENCES:
        target = part.get(name)
        if isinstance(target, str) and (target == "#" or target.startswith("#/")):
            yield resolve(target, root)
    for name in _LISTS:
        if isinstance(part.get(name), list):
            yield from part[name]
    yield from (part[name] for name in _SINGLE if name in part)
    if isinstance(part.get("dependentSchemas"), Mapping):
        yield from part["dependentSchemas"].values()


def _schemas(value: Any) -> Iterator[Any]:
    """Every mapping in the schema; those that are no schemas cost nothing."""
    if isinstance(value, Mapping):
        yield value
        for member in value.values():
            yield from _schemas(member)
    elif isinstance(value, list | tuple):
        for item in value:
            yield from _schemas(item)
