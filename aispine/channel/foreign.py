"""Reading what others wrote, which may be of any shape."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from typing import Any, Final

_LONGEST: Final = 10_000


def objects(value: Any) -> Iterator[Mapping[str, Any]]:
    """The objects of a list; nothing of what is no list."""
    if isinstance(value, list):
        yield from (item for item in value if isinstance(item, Mapping))


def mapping(value: Any) -> Mapping[str, Any]:
    return value if isinstance(value, Mapping) else {}


def text(value: Any) -> str | None:
    """A text that PostgreSQL takes, of bounded length; None for anything else and for an empty one."""
    if isinstance(value, bool) or not isinstance(value, str | int):
        return None
    return clean(str(value))[:_LONGEST] or None


def clean(value: str) -> str:
    """Without NUL and halves of surrogate pairs."""
    return value.encode("utf-8", "replace").decode().replace("\0", "\N{REPLACEMENT CHARACTER}")


def number(value: Any) -> int | None:
    return value if isinstance(value, int) and not isinstance(value, bool) else None


def moment(value: Any) -> datetime | None:
    """Seconds since 1970, as a number or as text."""
    try:
        return datetime.fromtimestamp(int(value), UTC)
    except (TypeError, ValueError, OverflowError, OSError):
        return None


def bounded(value: Any, depth: int = 6) -> Any:
    """A copy of any JSON value that the store takes: no deeper than `depth`, its texts clean."""
    if isinstance(value, str):
        return clean(value)[:_LONGEST]
    if isinstance(value, Mapping):
        return {clean(str(k))[:200]: bounded(v, depth - 1) for k, v in list(value.items())[:100]} if depth else None
    if isinstance(value, list):
        return [bounded(item, depth - 1) for item in value[:100]] if depth else None
    return value if isinstance(value, int | float | bool | None) else None
