"""JSON Schema's own rules where those of jsonschema can take for ever: patterns have a time limit, and that no item
comes twice is found out without comparing each with each."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, Final

from jsonschema import Draft202012Validator, validators
from jsonschema.exceptions import ValidationError

from aispine import pattern


def pattern_problem(schema: Any) -> str | None:
    """The first pattern of a schema that cannot be used, None when all can."""
    return next(filter(None, map(pattern.problem, _patterns(schema))), None)


def _patterns(schema: Any) -> Iterator[str]:
    if isinstance(schema, Mapping):
        if isinstance(schema.get("pattern"), str):
            yield schema["pattern"]
        if isinstance(schema.get("patternProperties"), Mapping):
            yield from schema["patternProperties"]
        for member in schema.values():
            yield from _patterns(member)
    elif isinstance(schema, list | tuple):
        for item in schema:
            yield from _patterns(item)


def _pattern(_validator: Any, wanted: str, instance: Any, _schema: Any) -> Iterator[ValidationError]:
    if isinstance(instance, str) and not pattern.search(wanted, instance):
        yield ValidationError(f"{instance!r} does not match {wanted!r}")


def _pattern_properties(validator: Any, members: Any, instance: Any, _schema: Any) -> Iterator[ValidationError]:
    if not isinstance(instance, Mapping):
        return
    for names, inner in members.items():
        for name, value in instance.items():
            if pattern.search(names, name):
                yield from validator.descend(value, inner, path=name, schema_path=names)


def _additional(validator: Any, allowed: Any, instance: Any, schema: Any) -> Iterator[ValidationError]:
    if not isinstance(instance, Mapping):
        return
    patterns = schema.get("patternProperties", {})
    known = schema.get("properties", {})
    unknown = [name for name in instance if name not in known]
    extra = [name for name in unknown if not any(pattern.search(each, name) for each in patterns)]
    if isinstance(allowed, Mapping):
        for name in extra:
            yield from validator.descend(instance[name], allowed, path=name)
    elif allowed is False and extra:
        yield ValidationError(f"{', '.join(map(repr, extra))}: not known")


def _unique(_validator: Any, wanted: Any, instance: Any, _schema: Any) -> Iterator[ValidationError]:
    if wanted is True and isinstance(instance, list):
        seen: set[Any] = set()
        for key in map(_key, instance):
            if key in seen:
                yield ValidationError("an item is there twice")
                return
            seen.add(key)


def _key(value: Any) -> Any:
    """What is equal for equal JSON values, `1` and `1.0` among them, and can be put in a set."""
    if isinstance(value, Mapping):
        return "object", frozenset((name, _key(member)) for name, member in value.items())
    if isinstance(value, list | tuple):
        return "list", tuple(map(_key, value))
    # A boolean equals a number in Python, and does not in JSON.
    return ("boolean", value) if isinstance(value, bool) else value


PATTERN_RULES: Final[Mapping[str, Any]] = {
    "pattern": _pattern,
    "patternProperties": _pattern_properties,
    "additionalProperties": _additional,
}
_extend: Final[Any] = validators.extend  # It has no types.
Validator: Final[Any] = _extend(Draft202012Validator, {**PATTERN_RULES, "uniqueItems": _unique})
"""`Draft202012Validator` with these rules."""
