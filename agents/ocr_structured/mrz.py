"""Reads the machine-readable zone of a page, with a closer look where a check digit fails."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import date
from functools import cache
from typing import Any, Final

import numpy as np

from . import ctc, mrz_find, mrz_text, rapid
from .document import Box, Line, around
from .geometry import Picture
from .mrz_find import Found
from .mrz_solve import Reading
from .mrz_zone import Zone, interpret

_STRETCHES: Final = (1.0, 1.3)
_GAP: Final = 3.0


@dataclass(frozen=True, kw_only=True, slots=True)
class PageZone:
    """A zone, the page and the box it was found in, and how sure the recogniser was of its lines."""

    zone: Zone
    page: int
    box: Box
    confidence: float


def in_lines(lines: Sequence[Line], today: date) -> PageZone | None:
    """The zone in lines of which only the text is known."""
    ordered = _ordered(lines)
    found = mrz_find.in_texts([line.text for line in ordered])
    return _page_zone(found, ordered, today)


def in_picture(picture: Picture, lines: Sequence[Line], today: date) -> PageZone | None:
    """The zone in lines that were seen in a picture, which is looked at again when a check digit fails."""
    ordered = list(_joined(_ordered(lines)))
    likely = [number for number, line in enumerate(ordered) if mrz_text.likeness(line.text) >= mrz_find.LIKELY]
    best: PageZone | None = None
    for look in _looks(picture, ordered):
        one = _page_zone(mrz_find.best(likely, _reader(look)), ordered, today)
        if one is not None and (best is None or _better(one, best)):
            best = one
        if best is not None and best.zone.valid:
            return best
    return best or in_lines(ordered, today)


def _better(one: PageZone, other: PageZone) -> bool:
    return (one.zone.valid, -one.zone.cost) > (other.zone.valid, -other.zone.cost)


def _looks(picture: Picture, lines: Sequence[Line]) -> Iterator[Callable[[int], Any]]:
    """Ways to get the frames of a line, the cheapest first."""
    yield lambda number: _seen(lines[number])
    for stretch in _STRETCHES:
        yield lambda number, stretch=stretch: rapid.read_again(picture, lines[number], stretch)


def _seen(line: Line) -> Any:
    return None if line.frames is None else ctc.project(line.frames, rapid.characters())


def _reader(look: Callable[[int], Any]) -> mrz_find.Reader:
    look = cache(look)

    @cache
    def read(number: int, width: int) -> Reading | None:
        frames = look(number)
        glyphs = None if frames is None else ctc.glyphs(frames, width)
        return None if glyphs is None else Reading(glyphs=[mrz_text.softened(glyph) for glyph in glyphs])

    return read


def _ordered(lines: Sequence[Line]) -> list[Line]:
    return sorted(lines, key=lambda line: line.place.middle)


def _joined(lines: Sequence[Line]) -> Iterator[Line]:
    """A line of a zone that was found in parts, since a row of fillers looks like nothing, becomes one again."""
    rest = list(lines)
    while rest:
        line = rest.pop(0)
        while (other := next((one for one in rest if _same_row(line, one)), None)) is not None:
            rest.remove(other)
            line = _join(*sorted((line, other), key=lambda one: one.place.left))
        yield line


def _same_row(one: Line, other: Line) -> bool:
    left, right = sorted((one, other), key=lambda line: line.place.left)
    tall = min(one.place.height, other.place.height)
    near = abs(one.place.middle - other.place.middle) < tall / 2 and right.place.left - left.place.right < _GAP * tall
    return near and "<" in one.text + other.text and all(mrz_text.in_alphabet(line.text) for line in (one, other))


def _join(left: Line, right: Line) -> Line:
    quad = np.stack([left.quad[0], right.quad[1], right.quad[2], left.quad[3]])
    return replace(
        left,
        text=left.text + right.text,
        box=around((left.box, right.box)),
        place=around((left.place, right.place)),
        frames=None,
        quad=quad,
    )


def _page_zone(found: Found | None, lines: Sequence[Line], today: date) -> PageZone | None:
    if found is None:
        return None
    own = [lines[number] for number in found.lines]
    return PageZone(
        zone=interpret(found.solution, today),
        page=own[0].page,
        box=around(line.box for line in own),
        confidence=sum(line.confidence for line in own) / len(own),
    )
