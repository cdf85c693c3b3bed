"""In what a value does not fit a JSON Schema, in the words of JSON and not of Python."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from typing import Any, Final

from jsonschema.exceptions import ValidationError

from aispine.flow.schema_cost import REFERENCES
from aispine.flow.sensitive import MARK, is_marked

_LONGEST: Final = 60


def words(error: ValidationError, schema: Any) -> str:
    """One misfit as a sentence about the value; what has no words of its own keeps those of the validator.

    `schema` is the whole one: what it marks as sensitive is not told.
    """
    if error.validator not in _NAMING_KEYS and is_marked(schema) and _is_private(error, schema):
        return f"does not fit `{error.validator}`; what it is, is sensitive"
    told = _WORDS.get(error.validator)
    return told(error) if told else str(error.message)


_NAMING_KEYS: Final = frozenset({"required", "additionalProperties"})
"""These tell the keys of a value alone."""


def _is_private(error: ValidationError, schema: Any) -> bool:
    """True when what the error would show is, holds or lies inside of something sensitive."""
    if is_marked(error.schema):
        return True
    inner = schema
    for step in error.absolute_schema_path:
        # Behind a reference the way is another; then it is better to say too little.
        if step in REFERENCES or (isinstance(inner, Mapping) and inner.get(MARK) is True):
            return True
        inner = inner[step]
    return False


def _type(error: ValidationError) -> str:
    names: Any = error.validator_value
    named = [names] if isinstance(names, str) else names
    return f"must be {' or '.join(_NAMES.get(name, name) for name in named)}; it is {_shown(error.instance)}"


def _required(error: ValidationError) -> str:
    # There is an error for each property that is missing, and only its message says which.
    required: Any = error.validator_value
    missing = (name for name in required if error.message.startswith(repr(name)))
    return f"`{next(missing, '?')}` is required"


def _unknown(error: ValidationError) -> str:
    if not isinstance(error.validator_value, bool):
        return str(error.message)
    schema: Any = error.schema
    value: Any = error.instance
    known = schema.get("properties", {})
    extra = [name for name in value if name not in known and repr(name) in error.message]
    return f"has keys that are not known: {', '.join(f'`{name}`' for name in extra[:10])}"


def _enum(error: ValidationError) -> str:
    allowed: Any = error.validator_value
    return f"must be one of {', '.join(map(_shown, allowed))}; it is {_shown(error.instance)}"


def _limit(text: str) -> Callable[[ValidationError], str]:
    return lambda error: f"{text.format(error.validator_value)}; it is {_shown(error.instance)}"


def _shown(value: Any) -> str:
    text = json.dumps(value, ensure_ascii=False)
    return text if len(text) <= _LONGEST else f"{text[:_LONGEST]}..."


_NAMES: Final = {
    "string": "a string",
    "number": "a number",
    "integer": "an integer",
    "boolean": "true or false",
    "object": "an object",
    "array": "a list",
    "null": "null",
}
_WORDS: Final[Mapping[Any, Callable[[ValidationError], str]]] = {
    "type": _type,
    "required": _required,
    "additionalProperties": _unknown,
    "enum": _enum,
    "const": lambda error: f"must be {_shown(error.validator_value)}; it is {_shown(error.instance)}",
    "minimum": _limit("must be at least {}"),
    "maximum": _limit("must be at most {}"),
    "exclusiveMinimum": _limit("must be above {}"),
    "exclusiveMaximum": _limit("must be below {}"),
    "multipleOf": _limit("must be a multiple of {}"),
    "minLength": _limit("must have a length of at least {}"),
    "maxLength": _limit("must have a length of at most {}"),
    "minItems": _limit("must have at least {} items"),
    "maxItems": _limit("must have at most {} items"),
    "pattern": _limit("must match the pattern `{}`"),
    "format": _limit("must be a {}"),
}
