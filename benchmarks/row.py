"""One line of the result: what was measured, against what, and whether it is good enough."""

from __future__ import annotations

import statistics
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Final, Literal

Unit = Literal["x", "s", "MB", "B", "%", "/s", ""]
_SCALE: Final = 1e5


@dataclass(frozen=True, kw_only=True, slots=True)
class Row:
    """`value` is what the bar is about: a ratio (x), seconds, megabytes (10^6 bytes), bytes, a share in per cent, a
    rate (/s), or a number.

    `theirs_s` and `ratio` belong to rows with a baseline. A row without a bar informs only. `aim` is what we should
    like to reach, shown and not held. Rates and numbers must reach their bar, everything else must stay below it.
    """

    name: str
    unit: Unit
    value: float | None
    bar: float | None = None
    aim: float | None = None
    ours_s: float | None = None
    theirs_s: float | None = None
    theirs: str | None = None
    """Who is beside us: `bare Celery`, `DBOS`, ..."""
    spread: tuple[float, float] | None = None
    """The lowest and the highest of the values that `value` is the middle or a quantile of."""
    runs: int | None = None
    error: str | None = None
    """Why there is no value."""

    @property
    def ratio(self) -> float | None:
        return self.value if self.unit == "x" else None

    @property
    def at_least(self) -> bool:
        """True where more is better."""
        return self.unit in {"/s", ""}

    @property
    def ok(self) -> bool:
        if self.error is not None or self.value is None:
            return False
        if self.bar is None:
            return True
        return self.value >= self.bar if self.at_least else self.value <= self.bar

    def as_json(self) -> dict[str, Any]:
        """The row for programs."""
        names = ("name", "ours_s", "theirs_s", "theirs", "ratio", "bar", "ok", "value", "unit", "aim", "spread")
        return {name: _rounded(getattr(self, name)) for name in (*names, "runs", "error")}


def compare(
    name: str,
    ours: Callable[[], float],
    theirs: Callable[[], float],
    *,
    beside: str,
    pairs: int,
    warm_up: int,
    bar: float | None = None,
    aim: float | None = None,
) -> Row:
    """Runs both in turn, so that whatever the machine does meets both; each returns its seconds."""
    for _ in range(warm_up):
        ours()
        theirs()
    taken = [(ours(), theirs()) for _ in range(pairs)]
    found = [mine / other for mine, other in taken]
    return Row(
        name=name,
        unit="x",
        value=statistics.median(found),
        bar=bar,
        aim=aim,
        ours_s=statistics.median(mine for mine, _ in taken),
        theirs_s=statistics.median(other for _, other in taken),
        theirs=beside,
        spread=(min(found), max(found)),
        runs=pairs,
    )


def seconds(
    name: str, values: Sequence[float], share: float, *, bar: float | None = None, aim: float | None = None
) -> Row:
    """A quantile of times."""
    value = quantile(values, share)
    spread = (min(values), max(values))
    return Row(name=name, unit="s", value=value, bar=bar, aim=aim, ours_s=value, spread=spread, runs=len(values))


def quantile(values: Sequence[float], share: float) -> float:
    """The smallest value that at least this share of the values does not exceed."""
    ordered = sorted(values)
    return ordered[max(0, -int(-share * len(ordered) // 1) - 1)]


def _rounded(value: Any) -> Any:
    if isinstance(value, tuple):
        return [_rounded(each) for each in value]
    return round(value * _SCALE) / _SCALE if isinstance(value, float) else value
