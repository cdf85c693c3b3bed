"""The size of a JSON value, measured with an early end, so that shared parts cannot make it explode."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any, Final

from aispine.errors import ExpressionError

LIMIT: Final = 5_000_000
"""The largest value that an expression may build: characters of text plus one for each value."""
MAX_DEPTH: Final = 200
"""The deepest. What comes from outside may have half of it, and writing JSON fails at some hundreds."""


def measure(value: Any, limit: int = LIMIT) -> int:
    """Counts a JSON value; raises `ExpressionError` past the limits and where a value is not JSON."""
    total, depth = 0, 0
    layer = [value]
    while layer:
        if depth > MAX_DEPTH:
            raise ExpressionError(f"the value is nested deeper than {MAX_DEPTH} levels")
        inner: list[Any] = []
        for current in layer:
            total += _own(current)
            if total > limit:
                raise ExpressionError(f"the value is larger than {limit:,} characters")
            if isinstance(current, dict | Mapping):
                inner.extend(current.values())
            elif isinstance(current, list | tuple):
                inner.extend(current)
        layer = inner
        depth += 1
    return total


def _own(value: Any) -> int:
    if isinstance(value, str):
        return len(value) + 1
    if isinstance(value, dict | Mapping):
        return _keys(value)
    if isinstance(value, list | tuple):
        return len(value) + 1
    if isinstance(value, float) and not math.isfinite(value):
        raise ExpressionError(f"the value holds {value}, which is not JSON")
    if value is None or isinstance(value, int | float):
        return 1
    raise ExpressionError(f"the value holds a {type(value).__name__}, which is not JSON")


def _keys(value: Mapping[Any, Any]) -> int:
    return 1 + sum(map(len, value)) + len(value)
