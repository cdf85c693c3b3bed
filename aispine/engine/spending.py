"""What attempts of one node spent, added up: a failed one costs as much as one that went well."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

SPENT: Final = ("tokens_used", "prompt_tokens", "completion_tokens", "cost_usd")


def added(before: Mapping[str, Any] | None, now: Mapping[str, Any]) -> dict[str, Any]:
    """The metadata of an attempt, with what those before it spent."""
    earlier = {name: before[name] for name in SPENT if _is_number(before.get(name))} if before else {}
    sums = {name: value + (now[name] if _is_number(now.get(name)) else 0) for name, value in earlier.items()}
    return {**now, **sums}


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)
