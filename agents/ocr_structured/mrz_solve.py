"""Finds the likeliest text of a machine-readable zone: by what was seen, what may stand where, and the check digits."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from .mrz_format import COMPOSITE, FILLER, WEIGHTS, Cell, Format, value

Glyph = Mapping[str, float]
"""What one place looks like: a cost for each character, 0 for what it looks like most; as -log of a probability."""

MISFIT: Final = 10.0
"""The cost of keeping a character that may not stand there."""
MISMATCH: Final = 5.0
"""The cost of a check digit that is wrong: what was seen clearly is kept, so that a forged digit is not mended."""
COMPOSITE_MISMATCH: Final = 2.5
"""The same of the one over the whole zone, which mostly fails because another does."""
CERTAIN: Final = 8.0
"""Characters that cost more are not thought of."""

State = tuple[int, int, str]
Step = tuple[State, float]


@dataclass(frozen=True, kw_only=True, slots=True)
class Repair:
    """A character that was read as something else: `line` and `column` from 1, and what decided."""

    line: int
    column: int
    field: str
    read: str
    written: str
    decided_by: str


@dataclass(frozen=True, kw_only=True, slots=True)
class Solution:
    """The text of the zone line by line, its cost, its repairs, and the places whose character may not stand there."""

    format: Format
    lines: tuple[str, ...]
    cost: float
    repairs: tuple[Repair, ...]
    misfits: tuple[tuple[int, int], ...]


@dataclass(frozen=True, kw_only=True, slots=True)
class Reading:
    """A line at a certain width: its glyphs, and what it costs to see it so wide."""

    glyphs: Sequence[Glyph]
    cost: float = 0.0


def solve(form: Format, readings: Sequence[Reading]) -> Solution:
    """The cheapest text of this format for its lines, each read at the format's width."""
    cells = form.cells
    seen = [glyph for reading in readings for glyph in reading.glyphs]
    cost, text = _cheapest(cells, seen)
    width = form.width
    lines = tuple(text[start : start + width] for start in range(0, len(text), width))
    misfits = [place for place, cell in enumerate(cells) if text[place] not in cell.allowed]
    return Solution(
        format=form,
        lines=lines,
        cost=cost + sum(reading.cost for reading in readings),
        repairs=tuple(_repairs(cells, seen, text, width)),
        misfits=tuple((place // width + 1, place % width + 1) for place in misfits),
    )


def _cheapest(cells: Sequence[Cell], seen: Sequence[Glyph]) -> tuple[float, str]:
    """Viterbi over what the check digits have summed up to and where in the names the text is."""
    best: dict[State, tuple[float, str]] = {(0, 0, _START): (0.0, "")}
    for cell, glyph in zip(cells, seen, strict=True):
        options = _options(cell, glyph)
        step = _step_of(cell)
        following: dict[State, tuple[float, str]] = {}
        for state, (cost, text) in best.items():
            for char, price in options:
                after, extra = step(cell, state, char)
                total = cost + price + extra
                if after not in following or total < following[after][0]:
                    following[after] = total, text + char
        best = following
    return min(best.values())


def _options(cell: Cell, glyph: Glyph) -> list[tuple[str, float]]:
    """What may stand here at what cost; what it looks like is kept at a high cost where it may not stand."""
    fitting = [(char, price) for char, price in glyph.items() if char in cell.allowed and price <= CERTAIN]
    first = looks(glyph)
    return fitting if first in cell.allowed else [*fitting, (first, MISFIT)]


def looks(glyph: Glyph) -> str:
    """The character that a place looks like most."""
    return min(glyph, key=lambda char: (glyph[char], char))


def _step_of(cell: Cell) -> Callable[[Cell, State, str], Step]:
    if cell.field == "names":
        return _name_step
    return _check_step if cell.checks else _sum_step


def _sum_step(cell: Cell, state: State, char: str) -> Step:
    summed, whole, part = state
    if cell.sums:
        summed = (0 if cell.place == 0 else summed) + value(char) * WEIGHTS[cell.place % 3]
    return (summed % 10, _whole(cell, whole, char), part), 0.0


def _whole(cell: Cell, whole: int, char: str) -> int:
    if cell.composite_place < 0:
        return whole
    return (whole + value(char) * WEIGHTS[cell.composite_place % 3]) % 10


def _check_step(cell: Cell, state: State, char: str) -> Step:
    summed, whole, part = state
    expected = whole if cell.checks == COMPOSITE else summed
    right = value(char) == expected if char.isdigit() or char == FILLER else False
    cost = COMPOSITE_MISMATCH if cell.checks == COMPOSITE else MISMATCH
    return (0, _whole(cell, whole, char), part), 0.0 if right else cost


_START, _SURNAME, _ONE, _BETWEEN, _GIVEN, _GIVEN_ONE, _END = "", "s", "s<", "s<<", "g", "g<", "end"
_ON_FILLER: Final = {
    _START: _ONE, _SURNAME: _ONE, _ONE: _BETWEEN, _BETWEEN: _END, _GIVEN: _GIVEN_ONE, _GIVEN_ONE: _END,
}  # fmt: skip
_ON_LETTER: Final = {
    _START: _SURNAME, _SURNAME: _SURNAME, _ONE: _SURNAME, _BETWEEN: _GIVEN, _GIVEN: _GIVEN, _GIVEN_ONE: _GIVEN,
}  # fmt: skip


def _name_step(cell: Cell, state: State, char: str) -> Step:
    """Surnames, two fillers, given names, and then fillers to the end of the line alone."""
    summed, whole, part = state
    if char == FILLER:
        return (summed, whole, _ON_FILLER.get(part, _END)), 0.0
    follows = _ON_LETTER.get(part)
    return (summed, whole, follows or _END), 0.0 if follows else MISFIT


def _repairs(cells: Sequence[Cell], seen: Sequence[Glyph], text: str, width: int) -> Iterable[Repair]:
    for place, (cell, glyph, written) in enumerate(zip(cells, seen, text, strict=True)):
        read = looks(glyph)
        if read != written:
            yield Repair(
                line=place // width + 1,
                column=place % width + 1,
                field=cell.field,
                read=read,
                written=written,
                decided_by=_decider(cell, read),
            )


def _decider(cell: Cell, read: str) -> str:
    if read not in cell.allowed:
        return "character_class"
    return "name_order" if cell.field == "names" else "check_digit"
