"""The tables and figures."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from statistics import median, quantiles
from typing import Any

from rich.console import Console
from rich.table import Table

from benchmarks.ocr.score import Scored

Beyond = Mapping[float, Sequence[Scored]]


def figures(held: Sequence[Scored], beyond: Beyond, printed: Sequence[Scored]) -> dict[str, Any]:
    """Everything that was measured, for programs. Shares are 0 to 1."""
    cpu = [one.cpu_seconds for one in held]
    return {
        "zones": len(held),
        "zones_right": _share(held),
        "zones_right_by_kind": {kind: _share(group) for kind, group in _by_kind(held).items()},
        "wrong_but_claimed_right": sum(one.claimed and not one.zone for one in held),
        "zones_right_beyond": {str(severity): _share(group) for severity, group in beyond.items()},
        "wrong_but_claimed_right_beyond": {
            str(severity): sum(one.claimed and not one.zone for one in group) for severity, group in beyond.items()
        },
        "fields_right": _fields(held),
        "fields_right_without_zone": _fields(printed),
        "cpu_seconds_median": median(cpu),
        "cpu_seconds_p95": quantiles(cpu, n=20)[-1] if len(cpu) > 1 else cpu[0],
        "seconds_median": median(one.seconds for one in held),
    }


def _share(group: Sequence[Scored]) -> float:
    return sum(one.zone for one in group) / len(group) if group else 0.0


def _by_kind(group: Sequence[Scored]) -> dict[str, list[Scored]]:
    kinds: defaultdict[str, list[Scored]] = defaultdict(list)
    for one in group:
        kinds[one.kind].append(one)
    return dict(kinds)


def _fields(group: Sequence[Scored]) -> dict[str, float]:
    right: defaultdict[str, list[bool]] = defaultdict(list)
    for one in group:
        for name, well in one.fields.items():
            right[name].append(well)
    return {name: sum(values) / len(values) for name, values in right.items()}


def show(held: Sequence[Scored], beyond: Beyond, printed: Sequence[Scored]) -> None:
    """Prints the figures as tables."""
    found = figures(held, beyond, printed)
    zones = Table("distortion", "zones", "every character right", "wrong, yet check digits hold")
    zones.add_row("stated", str(len(held)), f"{found['zones_right']:.1%}", str(found["wrong_but_claimed_right"]))
    for severity, group in beyond.items():
        key = str(severity)
        wrong = found["wrong_but_claimed_right_beyond"][key]
        zones.add_row(f"x {key}", str(len(group)), f"{found['zones_right_beyond'][key]:.1%}", str(wrong))
    fields = Table("field", "with zone", "print alone")
    for name in sorted({*found["fields_right"], *found["fields_right_without_zone"]}):
        cells = [found[group].get(name) for group in ("fields_right", "fields_right_without_zone")]
        fields.add_row(name, *("" if cell is None else f"{cell:.1%}" for cell in cells))
    console = Console()
    console.print(zones, fields)
    console.print(
        f"A picture takes {found['cpu_seconds_median']:.2f} s of one core at the median, "
        f"{found['cpu_seconds_p95']:.2f} s at p95; {found['seconds_median']:.2f} s on the clock."
    )
