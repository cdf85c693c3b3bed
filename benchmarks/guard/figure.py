"""One figure and its bar."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True, kw_only=True, slots=True)
class Figure:
    """`value` must be `least` at least and `most` at most; None is no bar."""

    name: str
    value: float
    unit: str = ""
    least: float | None = None
    most: float | None = None

    @property
    def ok(self) -> bool:
        return (self.least is None or self.value >= self.least) and (self.most is None or self.value <= self.most)

    def line(self) -> str:
        """The figure for people."""
        bars = [
            f">= {self.least:g}" if self.least is not None else "",
            f"<= {self.most:g}" if self.most is not None else "",
        ]
        bar = " and ".join(filter(None, bars))
        verdict = ("ok" if self.ok else "MISSED") if bar else ""
        return f"{self.name:<66} {self.value:>12.6g} {self.unit:<8} {bar:<22} {verdict}".rstrip()

    def as_json(self) -> dict[str, Any]:
        """The figure for programs."""
        bars = {"least": self.least, "most": self.most}
        return {"name": self.name, "value": round(self.value, 6), "unit": self.unit, **bars, "ok": self.ok}
