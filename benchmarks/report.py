"""Shows the figures and writes them down."""

from __future__ import annotations

import json
import re
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Final

from rich.console import Console
from rich.markup import escape
from rich.table import Table

from benchmarks.row import Row, Unit

BUILD: Final = Path(__file__).resolve().parent.parent / "build"
RESULTS: Final = Path(__file__).resolve().parent / "RESULTS.md"
RESULT: Final = "bench.json"
MACHINE: Final = "bench-machine.json"
_WIDTH: Final = 190
_HEADINGS: Final = ("work", "ours", "theirs", "figure", "range", "runs", "bar", "aim", "")
_PARTS: Final = {
    "bench": "AI Spine and bare Celery",
    "peers": "AI Spine and others of its kind",
    "profile": "Where the time of one node goes",
}
_PREFACE: Final = """# Results

Written by `make bench`, `make bench-peers` and `make bench-profile`; [README.md](README.md) explains every row.
"""


def write(rows: Sequence[Row], machine: Mapping[str, Any], folder: Path = BUILD, prefix: str = "bench") -> None:
    """Writes `bench.json` with the rows and `bench-machine.json` with what they were measured on."""
    folder.mkdir(parents=True, exist_ok=True)
    _write(folder / f"{prefix}.json", [row.as_json() for row in rows])
    _write(folder / f"{prefix}-machine.json", machine)


def publish(part: str, lines: Sequence[str], machine: Mapping[str, Any], path: Path = RESULTS) -> None:
    """Puts a part of `RESULTS.md` in the place of the one before; the other parts stay."""
    found = dict(re.findall(r"<!-- (\w+) -->\n(.*?)<!-- end -->\n", _read(path), re.DOTALL))
    found[part] = "\n".join([f"## {_PARTS[part]}", "", *lines, "", *(f"{each}  " for each in _machine(machine)), ""])
    parts = (f"\n<!-- {name} -->\n{found[name]}<!-- end -->\n" for name in _PARTS if name in found)
    path.write_text(_PREFACE + "".join(parts), "utf-8")


def tell(row: Row) -> None:
    """Says a row as soon as it is there: a long run shows that it gets on."""
    cells = [cell for cell in _cells(row) if cell]
    sys.stderr.write(f"    {' | '.join(cells)}{': ' + row.error if row.error else ''}\n")


def show(title: str, rows: Sequence[Row], machine: Mapping[str, Any]) -> None:
    """Prints the table; what it was measured on stands below it."""
    console = Console()
    if not console.is_terminal:
        console.width = _WIDTH
    table = Table(title=title)
    for name in _HEADINGS:
        table.add_column(name, justify="left" if name == "work" else "right", no_wrap=name != "work")
    for row in rows:
        table.add_row(*map(escape, _cells(row)), style=None if row.ok else "bold red")
    console.print(table)
    for row in rows:
        if row.error:
            console.print(f"{row.name}: {row.error}", style="bold red", markup=False, highlight=False)
    console.print("\n".join(_machine(machine)), style="dim", markup=False, highlight=False)


def lines(rows: Sequence[Row]) -> list[str]:
    """The table as Markdown, with what was missed and what went wrong."""
    table = [line(_HEADINGS), line(["---", *["---:"] * (len(_HEADINGS) - 1)])]
    table += [line(_cells(row)) for row in rows]
    errors = [f"- {row.name}: `{_one_line(row.error)}`" for row in rows if row.error]
    missed = [row.name for row in rows if row.error is None and not row.ok]
    verdict = f"Missed: {'; '.join(missed)}." if missed else "Every bar that has a figure is met."
    return [*table, "", verdict, *(["", *errors] if errors else [])]


def line(cells: Sequence[str]) -> str:
    """A row of a table in Markdown."""
    return f"| {' | '.join(cell.replace('|', '/') for cell in cells)} |"


def _one_line(text: str | None) -> str:
    return " ".join((text or "").split()).replace("`", "'")


def _cells(row: Row) -> list[str]:
    spread = f"{_amount(row.spread[0], row.unit)} - {_amount(row.spread[1], row.unit)}" if row.spread else ""
    sign = ">=" if row.at_least else "<="
    bars = ["" if bar is None else f"{sign} {_amount(bar, row.unit)}" for bar in (row.bar, row.aim)]
    theirs = "" if row.theirs_s is None else f"{_amount(row.theirs_s, 's')} {row.theirs or ''}".strip()
    ours = "" if row.ours_s is None else _amount(row.ours_s, "s")
    value = "" if row.value is None else _amount(row.value, row.unit)
    return [row.name, ours, theirs, value, spread, "" if row.runs is None else str(row.runs), *bars, _verdict(row)]


def _verdict(row: Row) -> str:
    if row.error is not None:
        return "FAILED"
    if row.bar is None:
        return ""
    return "ok" if row.ok else "MISSED"


def _amount(value: float, unit: Unit) -> str:
    if unit == "s":
        return f"{value:.2f} s" if value >= 1 else f"{value * 1000:.3g} ms"
    digits = {"x": ".2f", "MB": ".0f", "B": ",.0f", "%": ".1f", "/s": ",.0f", "": ",.0f"}
    return f"{value:{digits[unit]}} {unit}".strip()


def _machine(machine: Mapping[str, Any]) -> list[str]:
    durability = ", ".join(f"{name} {value}" for name, value in machine["durability"].items())
    libraries = machine["libraries"]
    versions = {"AI Spine": machine["aispine"], "Python": machine["python"], "PostgreSQL": machine["postgresql"]}
    versions |= {"Redis": machine["redis_server"]} | {name: libraries[name] for name in sorted(libraries)}
    kind = f"{machine['usable_cores']} cores, {machine['memory_mb'] / 1000:.0f} GB, {machine['system']}"
    return [
        f"{machine['date']}, {machine['took_s']} s; {kind}.",
        ", ".join(f"{name} {version}" for name, version in versions.items()) + ".",
        f"{durability}; write and fsync of a page {machine['fsync_ms']} ms on {machine['file_system']}.",
        f"Other programs took {machine['strangers_share']:.0%} of the cores meanwhile.",
    ]


def _read(path: Path) -> str:
    return path.read_text("utf-8") if path.exists() else ""


def _write(path: Path, content: Any) -> None:
    path.write_text(json.dumps(content, indent=2) + "\n", "utf-8")
