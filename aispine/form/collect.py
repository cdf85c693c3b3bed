"""Finds the fields of a schema in data: by name or alias, at any depth, or as `name: value` in a text."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator, Mapping
from typing import Any, Final

from aispine import pattern
from aispine.form import normalise
from aispine.form.normalise import Misfit

TEXTS: Final = ("text", "message", "user_message", "mensaje", "texto")
MAX_DEPTH: Final = 10


def candidates(data: Any, depth: int = 0) -> Iterator[tuple[str, Any]]:
    """Every named value in the data with its name in plain letters, the outer ones first."""
    if depth > MAX_DEPTH:
        return
    if isinstance(data, list):
        for item in data:
            yield from candidates(item, depth + 1)
    if isinstance(data, dict):
        for name, value in data.items():
            yield plain(name), value
        for name, value in data.items():
            inner = dict(labelled(value)) if plain(name) in TEXTS and isinstance(value, str) else value
            yield from candidates(inner, depth + 1)


def labelled(text: str) -> Iterator[tuple[str, str]]:
    """The lines `name: value` of a text."""
    for line in re.split(r"[\n;]", text):
        name, separator, value = line.partition(":")
        if separator and value.strip():
            yield name, value.strip()


def plain(name: str) -> str:
    """A name without case, accents and separators, so that `Ingreso mensual` is `ingreso_mensual`."""
    letters = unicodedata.normalize("NFKD", str(name)).encode("ascii", "ignore").decode().lower()
    return re.sub(r"[^a-z0-9]+", "_", letters).strip("_")


def find(names: list[str], found: dict[str, Any]) -> Any:
    """The first value under one of the names that is not empty."""
    values = (found.get(plain(name)) for name in names)
    return next((value for value in values if value not in (None, "", [], {})), None)


def read(value: Any, rules: Mapping[str, Any], country_code: str) -> Any:
    """The value in the form that its rules ask for. Raises `Misfit` with the rule that it breaks."""
    normal = _normal(value, rules, country_code)
    for rule, breaks in RULES.items():
        if rule in rules and breaks(normal, rules[rule]):
            raise Misfit(rule)
    return normal


def _normal(value: Any, rules: Mapping[str, Any], country_code: str) -> Any:
    form = rules.get("format")
    if form == "phone":
        return normalise.phone(value, country_code)
    if form in _FORMATS:
        return _FORMATS[form](value)
    normal = _TYPES.get(str(rules.get("type", "string")), normalise.text)(value)
    return normalise.choice(normal, rules["enum"]) if "enum" in rules and isinstance(normal, str) else normal


_FORMATS: Final[dict[str, Any]] = {"email": normalise.email, "date": normalise.date, "file": normalise.file}
_TYPES: Final[dict[str, Any]] = {
    "number": normalise.number,
    "integer": normalise.integer,
    "boolean": normalise.boolean,
    "array": normalise.items,
}
RULES: Final[dict[str, Any]] = {
    "minimum": lambda value, limit: value < limit,
    "maximum": lambda value, limit: value > limit,
    "minLength": lambda value, limit: len(str(value)) < limit,
    "maxLength": lambda value, limit: len(str(value)) > limit,
    "pattern": lambda value, limit: not pattern.search(limit, str(value)),
    "minItems": lambda value, limit: len(value) < limit,
    "const": lambda value, limit: value != limit,
    "enum": lambda value, limit: value not in limit,
}
