"""Durations: numbers of seconds, or texts such as `30s`, `5m`, `2h`, `1d`, `1h30m`."""

from __future__ import annotations

import math
import re
from typing import Any, Final

MAX_SECONDS: Final = 366 * 86_400.0
PATTERN: Final = r"^([0-9]+(\.[0-9]+)?(ms|s|m|h|d))+$"
HINT: Final = "Write seconds as a number, or for example `30s`, `5m`, `2h`, `1d`."

_WHOLE: Final = re.compile(PATTERN)
_PART: Final = re.compile(r"([0-9]+(?:\.[0-9]+)?)(ms|s|m|h|d)")
_UNITS: Final = {"ms": 0.001, "s": 1.0, "m": 60.0, "h": 3_600.0, "d": 86_400.0}
_MAX_LENGTH: Final = 50


def parse_duration(value: Any) -> float:
    """Seconds; raises `ValueError` with what is wrong, also for what is negative or longer than 366 days."""
    seconds = _seconds(value)
    if not math.isfinite(seconds) or seconds < 0:
        raise ValueError(f"`{value}` is negative or not a number")
    if seconds > MAX_SECONDS:
        raise ValueError(f"`{value}` is longer than 366 days")
    return seconds


def _seconds(value: Any) -> float:
    if isinstance(value, int | float) and not isinstance(value, bool):
        return float(value)
    if isinstance(value, str) and len(value) <= _MAX_LENGTH and _WHOLE.match(value):
        return sum(float(number) * _UNITS[unit] for number, unit in _PART.findall(value))
    shown = value[:_MAX_LENGTH] if isinstance(value, str) else value
    raise ValueError(f"`{shown}` is not a duration")
