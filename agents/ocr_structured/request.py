"""What is asked: the files, the fields that are wanted, and the limits."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from aispine.agent import AgentError

STRATEGIES: Final = ("pdf_text", "rapidocr", "tesseract", "vision")
"""In the order of what they cost."""
_MOST_FILES: Final = 10
_READING: Final = frozenset({"sha256", "pages"})


@dataclass(frozen=True, kw_only=True, slots=True)
class Limits:
    """The largest documents that are read: bytes of a file, pages of a document, pixels of a picture."""

    max_bytes: int = 20_000_000
    max_pages: int = 20
    max_pixels: int = 60_000_000


@dataclass(frozen=True, kw_only=True, slots=True)
class Request:
    """A checked request. `vision` is the `config.vision` as given, or none.

    `readings` are what an earlier answer said of some of the files.
    """

    files: tuple[Any, ...]
    schema: Mapping[str, Any]
    strategies: tuple[str, ...]
    min_confidence: float
    limits: Limits
    readings: Sequence[Mapping[str, Any]]
    vision: Mapping[str, Any] | None


def parse(value: Any, config: Mapping[str, Any]) -> Request:
    """The request that an input and a config make. Raises `AgentError` with `invalid_input` and the name of the key."""
    given = value if isinstance(value, Mapping) else {"file": value}
    return Request(
        files=_files(given),
        schema=_schema(given.get("schema", config.get("schema", {}))),
        strategies=_strategies(config.get("strategies", STRATEGIES)),
        min_confidence=_number(config, "min_confidence", 0.6, most=1.0),
        limits=Limits(
            **{name: int(_number(config, name, getattr(_DEFAULT, name), least=1)) for name in _LIMITS if name in config}
        ),
        readings=_readings(given.get("readings")),
        vision=_vision(config.get("vision")),
    )


_DEFAULT: Final = Limits()
_LIMITS: Final = ("max_bytes", "max_pages", "max_pixels")


def _invalid(message: str) -> AgentError:
    return AgentError(message, code="invalid_input")


def _files(given: Mapping[str, Any]) -> tuple[Any, ...]:
    files = given.get("files", [given["file"]] if given.get("file") else [])
    if not isinstance(files, list) or not 1 <= len(files) <= _MOST_FILES:
        raise _invalid(f"`file` is missing, or `files` is no list of 1 to {_MOST_FILES}")
    return tuple(files)


def _readings(given: Any) -> Sequence[Mapping[str, Any]]:
    known = [] if given is None else given
    if not isinstance(known, list) or not all(isinstance(each, Mapping) and {*each} >= _READING for each in known):
        raise _invalid("`readings` must be the `readings` of an earlier answer")
    return known


def _schema(schema: Any) -> Mapping[str, Any]:
    if not isinstance(schema, Mapping):
        raise _invalid("`schema` must be an object")
    properties = schema.get("properties", {})
    if not isinstance(properties, Mapping) or not all(isinstance(rules, Mapping) for rules in properties.values()):
        raise _invalid("`schema.properties` must be an object of objects")
    if not isinstance(schema.get("required", []), list):
        raise _invalid("`schema.required` must be a list")
    return schema


def _strategies(given: Any) -> tuple[str, ...]:
    if not isinstance(given, list | tuple) or not given or not set(given) <= set(STRATEGIES):
        raise _invalid(f"`config.strategies` must be a list of {', '.join(STRATEGIES)}")
    return tuple(name for name in STRATEGIES if name in given)


def _number(config: Mapping[str, Any], name: str, default: float, *, least: float = 0, most: float = 1e12) -> float:
    value = config.get(name, default)
    if isinstance(value, bool) or not isinstance(value, int | float) or not least <= value <= most:
        raise _invalid(f"`config.{name}` must be a number from {least:g} to {most:g}")
    return value


def _vision(given: Any) -> Mapping[str, Any] | None:
    if given is None:
        return None
    if not isinstance(given, Mapping) or not all(isinstance(given.get(name), str) for name in ("url", "model")):
        raise _invalid("`config.vision` must be an object with `url` and `model`")
    return given
