"""Shows the figures and writes them down."""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Final

from rich.console import Console
from rich.table import Table

from benchmarks.memory import Memory
from benchmarks.row import Row

BUILD: Final = Path(__file__).resolve().parent.parent / "build"
RESULT: Final = "bench.json"
MACHINE: Final = "bench-machine.json"
_WIDTH: Final = 150


def write(rows: Sequence[Row], machine: Mapping[str, Any], folder: Path = BUILD) -> None:
    """Writes `bench.json` with the rows and `bench-machine.json` with what they were measured on."""
    folder.mkdir(parents=True, exist_ok=True)
    _write(folder / RESULT, [row.as_json() for row in rows])
    _write(folder / MACHINE, machine)


def show(rows: Sequence[Row], machine: Mapping[str, Any], processes: Sequence[Memory]) -> None:
    """Prints the table; what it was measured on and the memory of each program stand below it."""
    console = Console()
    if not console.is_terminal:
        console.width = _WIDTH
    console.print(_table(rows, processes))
    console.print(_machine(machine), style="dim", highlight=False)


def _table(rows: Sequence[Row], processes: Sequence[Memory]) -> Table:
    table = Table(
        title="AI Spine beside bare Celery", caption="Bare Celery keeps nothing; every node of ours is durable."
    )
    table.add_column("work", no_wrap=True)
    for name in ("ours", "bare Celery", "figure", "range", "bar", "later bar", ""):
        table.add_column(name, justify="right", no_wrap=True)
    for row in rows:
        table.add_row(*_cells(row), style=None if row.ok else "bold red")
    table.add_section()
    for name, size in _by_program(processes).items():
        table.add_row(f"  memory of {name}", "", "", _amount(size, "MB"), style="dim")
    return table


def _cells(row: Row) -> list[str]:
    spread = f"{_amount(row.spread[0], row.unit)} - {_amount(row.spread[1], row.unit)}" if row.spread else ""
    bars = ["" if bar is None else f"<= {_amount(bar, row.unit)}" for bar in (row.bar, row.aim)]
    times = ["" if time is None else _amount(time, "s") for time in (row.ours_s, row.theirs_s)]
    return [row.name, *times, _amount(row.value, row.unit), spread, *bars, _verdict(row)]


def _verdict(row: Row) -> str:
    if row.bar is None:
        return ""
    return "ok" if row.ok else "MISSED"


def _amount(value: float, unit: str) -> str:
    if unit == "x":
        return f"{value:.2f} x"
    if unit == "MB":
        return f"{value:.0f} MB"
    return f"{value * 1000:.1f} ms"


def _by_program(processes: Sequence[Memory]) -> dict[str, float]:
    sums: defaultdict[str, float] = defaultdict(float)
    counts: defaultdict[str, int] = defaultdict(int)
    for memory in processes:
        sums[memory.program] += memory.pss
        counts[memory.program] += 1
    return {f"{name} ({counts[name]})": sums[name] for name in sorted(sums, key=lambda name: -sums[name])}


def _machine(machine: Mapping[str, Any]) -> str:
    durability = ", ".join(f"{name} {value}" for name, value in machine["durability"].items())
    load = " ".join(f"{value:g}" for value in machine["load_before"])
    return (
        f"{machine['date']}  {machine['usable_cores']} cores, load {load}  {machine['system']}\n"
        f"AI Spine {machine['aispine']}  Python {machine['python']}  PostgreSQL {machine['postgresql']}  "
        f"Redis {machine['redis_server']}  Celery {machine['libraries']['celery']}\n"
        f"{durability}; write and fsync of a page {machine['fsync_ms']} ms on {machine['file_system']}\n"
        f"Other programs took {machine['strangers_share']:.0%} of the cores meanwhile."
    )


def _write(path: Path, content: Any) -> None:
    path.write_text(json.dumps(content, indent=2) + "\n", "utf-8")
