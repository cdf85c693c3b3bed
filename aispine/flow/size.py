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
    total, layer = 0, [value]
    for _ in range(MAX_DEPTH + 1):
        inner: list[Any] = []
        for current in layer:
            total += _own(current, inner)
            if total > limit:
                raise ExpressionError(f"the value is larger than {limit:,} characters")
        if not inner:
            return total
        layer = inner
    raise ExpressionError(f"the value is nested deeper than {MAX_DEPTH} levels")


def _own(value: Any, inner: list[Any]) -> int:
    """What a value counts by itself; what it holds goes into `inner`."""
    if isinstance(value, str):
        return len(value) + 1
    if isinstance(value, list | tuple):
        inner.extend(value)
        return len(value) + 1
    if isinstance(value, dict | Mapping):
        inner.extend(value.values())
        return 1 + sum(map(len, value)) + len(value)
    if isinstance(value, float) and not math.isfinite(value):
        raise ExpressionError(f"the value holds {value}, which is not JSON")
    if value is None or isinstance(value, int | float):
        return 1
    raise ExpressionError(f"the value holds a {type(value).__name__}, which is not JSON")
