"""Values that a JSON Schema marks with `x-sensitive: true`: found, and hidden wherever they are shown."""

from __future__ import annotations

import functools
import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Final

import referencing
from jsonschema import Draft202012Validator, validators
from jsonschema.exceptions import ValidationError

from aispine.flow.schema_rules import PATTERN_RULES

MARK: Final = "x-sensitive"
HIDDEN: Final = "[sensitive]"
SHORTEST: Final = 4
"""What is shorter as a text is hidden at its marked place alone: elsewhere it would be found by chance."""
Place = tuple[str | int, ...]
Texts = frozenset[str]


def is_marked(schema: Any) -> bool:
    """True when something in the schema is sensitive."""
    if isinstance(schema, Mapping):
        return schema.get(MARK) is True or any(is_marked(each) for each in schema.values())
    return isinstance(schema, list | tuple) and any(is_marked(each) for each in schema)


def places(schema: Mapping[str, Any], value: Any) -> Iterator[Place]:
    """Where in the value something is sensitive; what lies below such a place is sensitive with it."""
    try:
        yield from (tuple(each.absolute_path) for each in _finder(json.dumps(schema)).iter_errors(value))
    except (RecursionError, LookupError, ValueError, TypeError):
        # A schema that cannot be followed says nothing about what may be shown.
        yield ()


def texts(schema: Mapping[str, Any], value: Any) -> Texts:
    """The sensitive texts and numbers of a value, as they are written, those that are too short left out."""
    return frozenset(text for place in places(schema, value) for text in _leaves(_at(value, place)))


@dataclass(frozen=True, slots=True)
class Veil:
    """Hides what is sensitive; `known` are the texts by which it is found elsewhere."""

    known: Texts = frozenset()

    def hide(self, value: Any) -> Any:
        """The JSON value, or text, with `[sensitive]` in the place of each known text."""
        return replace(value, self.known, HIDDEN) if self.known else value

    def cover(self, schema: Mapping[str, Any] | None, value: Any) -> Any:
        """As `hide`, and also what the value's own schema marks, however short."""
        for place in () if schema is None else places(schema, value):
            value = _covered(value, place)
        return self.hide(value)


OPEN: Final = Veil()
"""Hides nothing."""


def replace(value: Any, known: Texts, by: str) -> Any:
    """The JSON value with `by` wherever one of the texts stands, in texts, in keys, and as a number."""
    if isinstance(value, str):
        return _pattern(known).sub(lambda _: by, value)
    if isinstance(value, Mapping):
        return {replace(key, known, by): replace(each, known, by) for key, each in value.items()}
    if isinstance(value, list | tuple):
        return [replace(each, known, by) for each in value]
    return by if _is_number(value) and str(value) in known else value


@functools.lru_cache(maxsize=256)
def _pattern(known: Texts) -> re.Pattern[str]:
    """The longest first: one text may be a part of another."""
    return re.compile("|".join(map(re.escape, sorted(known, key=len, reverse=True))))


def _covered(value: Any, place: Place) -> Any:
    if not place:
        return HIDDEN
    step, rest = place[0], place[1:]
    if isinstance(value, Mapping) and step in value:
        return {**value, step: _covered(value[step], rest)}
    if isinstance(value, list) and isinstance(step, int):
        return [_covered(each, rest) if index == step else each for index, each in enumerate(value)]
    return value


def _at(value: Any, place: Place) -> Any:
    return functools.reduce(lambda inner, step: inner[step], place, value)


def _leaves(value: Any) -> Iterator[str]:
    if isinstance(value, Mapping | list):
        for each in value.values() if isinstance(value, Mapping) else value:
            yield from _leaves(each)
    elif (isinstance(value, str) or _is_number(value)) and len(text := str(value)) >= SHORTEST:
        yield text


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


def _mark(_validator: Any, marked: Any, _instance: Any, _schema: Any) -> Iterator[ValidationError]:
    if marked is True:
        yield ValidationError("sensitive")


def _into(validator: Any, schema: Any, instance: Any, _schema: Any) -> Iterator[ValidationError]:
    yield from validator.descend(instance, schema)


_ALL: Final[Mapping[str, Any]] = {**Draft202012Validator.VALIDATORS, **PATTERN_RULES}
_DESCENDING: Final = (
    *("properties", "patternProperties", "additionalProperties", "items", "prefixItems"),
    *("allOf", "dependentSchemas", "$ref", "$dynamicRef"),
)
_Finder = validators.create(
    meta_schema=Draft202012Validator.META_SCHEMA,
    # What a value might be counts, not only what it is: each branch of a choice is looked into.
    validators={
        **{name: _ALL[name] for name in _DESCENDING},
        **dict.fromkeys(("anyOf", "oneOf"), _ALL["allOf"]),
        **dict.fromkeys(("then", "else"), _into),
        MARK: _mark,
    },
    type_checker=Draft202012Validator.TYPE_CHECKER,
)


@functools.lru_cache(maxsize=512)
def _finder(schema: str) -> Any:
    return _Finder(json.loads(schema), registry=referencing.Registry())
