"""One line of the result: what was measured, against what, and whether it is good enough."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Literal

Unit = Literal["x", "s", "MB"]


@dataclass(frozen=True, kw_only=True, slots=True)
class Row:
    """`value` is what the bar is about: a ratio (x), seconds or megabytes (10^6 bytes).

    `theirs_s` and `ratio` belong to rows with a baseline. A row without a bar informs only. `aim` is the bar of a later
    release, shown and not held.
    """

    name: str
    value: float
    unit: Unit
    bar: float | None = None
    aim: float | None = None
    ours_s: float | None = None
    theirs_s: float | None = None
    spread: tuple[float, float] | None = None
    """The lowest and the highest of the values that `value` is the middle or a quantile of."""

    @property
    def ratio(self) -> float | None:
        return self.value if self.unit == "x" else None

    @property
    def ok(self) -> bool:
        return self.bar is None or self.value <= self.bar

    def as_json(self) -> dict[str, Any]:
        """The row for programs."""
        names = ("name", "ours_s", "theirs_s", "ratio", "bar", "ok", "value", "unit", "aim", "spread")
        return {name: _rounded(getattr(self, name)) for name in names}


def quantile(values: Sequence[float], share: float) -> float:
    """The smallest value that at least this share of the values does not exceed."""
    ordered = sorted(values)
    return ordered[max(0, -int(-share * len(ordered) // 1) - 1)]


def _rounded(value: Any) -> Any:
    if isinstance(value, tuple):
        return [_rounded(each) for each in value]
    return round(value, 5) if isinstance(value, float) else value
