"""What every command writes: a table for people or JSON for programs, colours only for a terminal."""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any, Final, Literal

import click

from cli import text

if TYPE_CHECKING:
    from rich.console import Console
    from rich.text import Text

Format = Literal["table", "json"]

output_option = click.option(
    "-o",
    "--output",
    "form",
    type=click.Choice(["table", "json"]),
    default="table",
    show_default=True,
    help="A table for people or JSON for programs.",
)

sensitive_option = click.option(
    "--show-sensitive", "sensitive", is_flag=True, help="Show sensitive values, with a key that may see them."
)

_UNWRAPPED_WIDTH: Final = 10_000
"""Where no terminal says how wide it is, a line is as long as it needs to be, so that grep and awk see whole rows."""


def console(*, stderr: bool = False) -> Console:
    """A rich console on stdout, or on stderr."""
    from rich.console import Console

    stream = sys.stderr if stderr else sys.stdout
    width = None if stream.isatty() or "COLUMNS" in os.environ else _UNWRAPPED_WIDTH
    return Console(file=stream, width=width, highlight=False, markup=False, emoji=False)


def write_json(value: Any) -> None:
    """Writes one JSON document to stdout."""
    click.echo(json.dumps(value, indent=2, ensure_ascii=False))


def write_value(value: Any) -> None:
    """Writes a JSON value for people, coloured on a terminal."""
    from rich.json import JSON

    console().print(JSON.from_data(value, ensure_ascii=False), soft_wrap=True)


def write_table(
    columns: Sequence[str], rows: Iterable[Sequence[Any]], *, empty: str, spare: Sequence[str] = ()
) -> None:
    """Writes rows under their columns, or `empty` when there are none. A cell is text, a rich Text, or None.

    In a narrow terminal the `spare` columns are shown as far as there is room for them, the first before the others,
    and then the columns with long texts are folded.
    """
    from rich.table import Table

    cells, out = [[cell(value) for value in row] for row in rows], console()
    widths = {name: _width(name, [row[index] for row in cells]) for index, name in enumerate(columns)}
    shown = _fitting(columns, widths, spare, out.width)
    whole = sum(widths[name] + _GAP for name in shown) - _GAP <= out.width
    table = Table(box=None, padding=(0, _GAP, 0, 0), pad_edge=False, header_style="bold dim")
    for name in shown:
        table.add_column(name.upper(), overflow="fold", no_wrap=whole and name in _WHOLE)
    for row in cells:
        table.add_row(*(row[columns.index(name)] for name in shown))
    out.print(table if cells else empty)


def _width(name: str, cells: Sequence[Text]) -> int:
    """What a column needs: all of its widest cell, or some of it where it may be folded."""
    widest = max([len(name), *(cell.cell_len for cell in cells)])
    return widest if name in _WHOLE else min(widest, _FOLDED)


def _fitting(columns: Sequence[str], widths: Mapping[str, int], spare: Sequence[str], room: int) -> list[str]:
    kept = {name for name in columns if name not in spare}
    left = room - sum(widths[name] + _GAP for name in kept) + _GAP
    for name in spare:
        if widths[name] + _GAP <= left:
            left -= widths[name] + _GAP
            kept.add(name)
    return [name for name in columns if name in kept]


def write_facts(facts: Iterable[tuple[str, Any]]) -> None:
    """Writes each value beside its name; those without a value are left out."""
    from rich.table import Table
    from rich.text import Text

    grid = Table.grid(padding=(0, 2, 0, 0))
    for name, value in facts:
        if value:
            grid.add_row(Text(name, style="dim"), cell(value))
    console().print(grid)


_GAP: Final = 2
_FOLDED: Final = 24
"""The width that a column of long texts gets at least."""
_WHOLE: Final = frozenset({"id", "execution", "status", "started", "took", "version", "created", "worker", "state"})
"""Columns that are copied or scanned by eye, so that a narrow terminal breaks the others first."""


def cell(value: Any) -> Text:
    """One cell: text without control characters; nothing becomes a dash."""
    from rich.text import Text

    if isinstance(value, Text):
        return value
    return Text(text.printable(str(value))) if value not in {None, ""} else Text("-", style="dim")


def status(value: str) -> Text:
    """A status in its colour, after its glyph."""
    from rich.text import Text

    return Text(f"{glyph(value)} {value}", style=STYLES.get(value, ""))


def glyph(value: str) -> str:
    """The sign of a status, or an ASCII letter where stdout cannot write it."""
    sign, letter = GLYPHS.get(value, ("?", "?"))
    return sign if _writes_unicode() else letter


def _writes_unicode() -> bool:
    return (getattr(sys.stdout, "encoding", None) or "ascii").lower().replace("-", "").startswith("utf")


GLYPHS: Final = {
    "pending": ("·", "."),
    "queued": ("○", "o"),
    "running": ("●", "*"),
    "retrying": ("↻", "r"),
    "waiting": ("◷", "w"),
    "paused": ("‖", "="),
    "completed": ("✓", "+"),
    "failed": ("✗", "x"),
    "skipped": ("-", "-"),
    "cancelled": ("⊘", "/"),
    "timed_out": ("✗", "x"),
    "lost": ("↻", "r"),
}
STYLES: Final = {
    "pending": "dim",
    "queued": "dim",
    "running": "cyan",
    "retrying": "yellow",
    "waiting": "magenta",
    "paused": "magenta",
    "completed": "green",
    "failed": "red",
    "skipped": "dim",
    "cancelled": "yellow",
    "timed_out": "red",
    "lost": "yellow",
}
