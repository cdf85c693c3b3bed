"""The older forms of a condition, written as conditions."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any, Final

_OPERATORS: Final[Mapping[str, str]] = {
    **{sign: sign for sign in ("==", "!=", "<", "<=", ">", ">=", "in", "not in")},
    "eq": "==",
    "equals": "==",
    "ne": "!=",
    "not_equals": "!=",
    "lt": "<",
    "lte": "<=",
    "gt": ">",
    "gte": ">=",
    "not_in": "not in",
}
_KEYS: Final = frozenset({"field", "operator", "value"})


def guard_text(value: Any, *, mappings: bool = False) -> str | None:
    """A condition as text, None when the value is none: a text, a boolean, or `{field, operator, value}`."""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, str):
        return value
    if mappings and isinstance(value, dict) and set(value) == _KEYS:
        return _comparison(value["field"], value["operator"], value["value"])
    return None


def _comparison(field: Any, operator: Any, value: Any) -> str | None:
    if not isinstance(field, str) or not isinstance(operator, str) or isinstance(value, dict):
        return None
    sign = _OPERATORS.get(operator)
    return f"{field} {sign} {json.dumps(value)}" if sign else None
