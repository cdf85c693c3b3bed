"""Finds the machine-readable zone among lines: which follow each other and solve best as one of the formats."""

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import islice
from typing import Final

from . import mrz_text
from .mrz_format import EXTENDABLE, FILLER, FORMATS, Format
from .mrz_solve import Reading, Solution, looks, solve

LIKELY: Final = 0.45
"""Lines that look less like a zone's are not tried."""
ACCEPTED: Final = 1.1
"""The mean cost of a character above which a solution is no zone."""

Reader = Callable[[int, int], Reading | None]
"""Reads the n-th line at a width; None when it cannot be so wide."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Found:
    """A solution and the numbers of the lines that it was read from."""

    solution: Solution
    lines: tuple[int, ...]


def in_texts(texts: Sequence[str]) -> Found | None:
    """The zone in lines of plain text, top to bottom."""
    clean = [mrz_text.cleaned(text) for text in texts]
    likely = [number for number, text in enumerate(texts) if mrz_text.likeness(text) >= LIKELY]
    return best(likely, lambda number, width: mrz_text.read(clean[number], width))


def best(likely: Sequence[int], read: Reader) -> Found | None:
    """The cheapest zone over neighbouring likely lines in all formats; None when none is cheap enough."""
    found = [
        Found(solution=solution, lines=numbers)
        for form in FORMATS
        for numbers in _windows(likely, len(form.lines))
        for solution in _solutions(form, [read(number, form.width) for number in numbers])
    ]
    cheapest = min(found, key=lambda one: _mean(one.solution), default=None)
    return cheapest if cheapest is not None and _mean(cheapest.solution) <= ACCEPTED else None


def _windows(likely: Sequence[int], size: int) -> Iterator[tuple[int, ...]]:
    return zip(*(islice(likely, start, None) for start in range(size)), strict=False)


def _mean(solution: Solution) -> float:
    return solution.cost / sum(map(len, solution.lines))


def _solutions(form: Format, lines: Sequence[Reading | None]) -> Iterable[Solution]:
    known = [line for line in lines if line is not None]
    if len(known) < len(lines):
        return
    yield solve(form, known)
    extra = _extra(form, known)
    if extra:
        make, _ = EXTENDABLE[form.name]
        yield solve(make(extra), known)


def _extra(form: Format, lines: Sequence[Reading]) -> int:
    """How many characters of a long document number stand in the optional data; 0 when it is not a long one."""
    if form.name not in EXTENDABLE:
        return 0
    seen = "".join(looks(glyph) for line in lines for glyph in line.glyphs)
    cells = list(enumerate(form.cells))
    mark = next(place for place, cell in cells if cell.checks == "number")
    optional = "".join(seen[place] for place, cell in cells if cell.field == "optional")
    length = len(optional.split(FILLER)[0])
    return length - 1 if seen[mark] == FILLER and 2 <= length <= EXTENDABLE[form.name][1] else 0
