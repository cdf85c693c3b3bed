"""Finds the fields of a schema among lines: by their labels, by where the value stands, and by what it looks like."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Any, Final

from . import kinds, labels
from .document import Box, Line, around

_SAME_LINE: Final = 0.95
_RIGHT: Final = 0.9
_BELOW: Final = 0.92
_FIGURE_BELOW: Final = 0.8
"""Amounts stand at the end of their row, however far that is; below them there are others."""
_BY_LOOKS: Final = 0.6
_NO_COLON: Final = 0.9
_COLON: Final = re.compile(r"\s*[:\uff1a]\s*")
_MULTILINE: Final = frozenset({"address", "surname", "given_names", "full_name"})
_GLUED: Final = re.compile(r"([^\W\d][^\d:]{0,20}?)[.:\u00b0\u00ba#\s]*(\d[\w./-]{3,})$")
_CODED: Final = re.compile(r"(\d[ab]?)\.?\s+(.+)$")
_CODES: Final = {
    "surname": "1",
    "given_names": "2",
    "birth_date": "3",
    "issue_date": "4a",
    "expiry_date": "4b",
    "document_number": "5",
    "address": "8",
}
"""The numbers that driving licences have in the place of labels."""
_FEWEST_CODES: Final = 4


@dataclass(frozen=True, kw_only=True, slots=True)
class Field:
    """A field that was found: `source` is `text` or `mrz`, `raw` what stands on the paper."""

    value: Any
    raw: str
    confidence: float
    page: int
    box: Box
    source: str = "text"


@dataclass(frozen=True, kw_only=True, slots=True)
class _Place:
    """Where a value may stand, and how likely that is."""

    text: str
    lines: tuple[Line, ...]
    chance: float


def fields(lines: Sequence[Line], schema: Mapping[str, Any]) -> dict[str, Field]:
    """What was found of the schema's properties, by their names."""
    found: dict[str, Field] = {}
    for name, rules in schema.get("properties", {}).items():
        concept = labels.concept(name, rules)
        best = _best(lines, name, rules)
        if concept == "full_name":
            best = _whole_name(lines) or best
        if best is not None:
            found[name] = best
    return found


def _whole_name(lines: Sequence[Line]) -> Field | None:
    """Given names and surname, where the document has a place for each."""
    parts = [_best(lines, name, {}) for name in ("given_names", "surname")]
    known = [part for part in parts if part is not None]
    if len(known) < len(parts) or known[0].raw == known[1].raw:
        return None
    return Field(
        value=" ".join(str(part.value) for part in known),
        raw=" ".join(part.raw for part in known),
        confidence=min(part.confidence for part in known),
        page=known[0].page,
        box=around(part.box for part in known),
    )


def _best(lines: Sequence[Line], name: str, rules: Mapping[str, Any]) -> Field | None:
    concept = labels.concept(name, rules)
    parse = kinds.parser(concept, rules)
    candidates = [
        Field(
            value=value,
            raw=place.text,
            confidence=place.chance * min(line.confidence for line in place.lines),
            page=place.lines[0].page,
            box=around(line.box for line in place.lines),
        )
        for place in _all_places(lines, labels.names(name, rules), concept, figures=parse in kinds.FIGURES)
        if (value := parse(place.text)) is not None and kinds.fits(value, rules)
    ]
    candidates += _by_looks(lines, parse, rules) if not candidates else []
    return max(candidates, key=lambda field: field.confidence, default=None)


def _by_looks(lines: Sequence[Line], parse: kinds.Parser, rules: Mapping[str, Any]) -> list[Field]:
    if parse not in kinds.BY_LOOKS and not isinstance(rules.get("pattern"), str):
        return []
    return [
        Field(value=value, raw=line.text, confidence=_BY_LOOKS * line.confidence, page=line.page, box=line.box)
        for line in lines
        if (value := parse(line.text)) is not None and kinds.fits(value, rules)
    ]


def _all_places(lines: Sequence[Line], names: tuple[str, ...], concept: str, *, figures: bool) -> Iterator[_Place]:
    yield from _places(lines, names, several=concept in _MULTILINE, figures=figures)
    yield from _coded(lines, _CODES.get(concept, ""))


def _coded(lines: Sequence[Line], wanted: str) -> Iterator[_Place]:
    """What stands behind a number of a driving licence, on pages that have most of these numbers."""
    coded = [(found.group(1), found.group(2), line) for line in lines if (found := _CODED.match(line.text))]
    if len({code for code, _, _ in coded} & set(_CODES.values())) < _FEWEST_CODES:
        return
    for code, value, line in coded:
        if code == wanted and not labels.is_label(value):
            yield _Place(text=value, lines=(line,), chance=_NO_COLON)


def _places(lines: Sequence[Line], names: tuple[str, ...], *, several: bool, figures: bool) -> Iterator[_Place]:
    for number, line in enumerate(lines):
        rank = _rank(line.text, names)
        whole = labels.match(line.text.rstrip(" :."), names)
        if whole:
            yield from _around(lines, number, whole * rank, several=several, figures=figures)
        for before, after in _split(line.text, names):
            # A label in two languages is no label with a value behind it.
            if not labels.is_label(after.strip(" /")):
                yield _Place(text=after, lines=(line,), chance=_SAME_LINE * before * rank)


def _rank(text: str, names: tuple[str, ...]) -> float:
    """Labels that were named first are meant more than those that the field is also called by."""
    place = next((place for place, name in enumerate(names) if labels.match(text.rstrip(" :."), (name,))), 0)
    return 1.0 - 0.002 * place


def _split(text: str, names: tuple[str, ...]) -> Iterator[tuple[float, str]]:
    """How well a label stands in a line, and what follows it, behind a colon or behind the label itself."""
    parts = _COLON.split(text)
    for number, (head, value) in enumerate(pairwise(parts)):
        known = max(labels.match(tail, names) for tail in _tails(head))
        is_last = number == len(parts) - 2
        if known and value:
            yield known, value if is_last else _without_label(value)
    glued = _GLUED.match(text)
    if glued and labels.plain(glued.group(1)) in names:
        yield _NO_COLON, glued.group(2)
        return
    words = text.split()
    for count in range(min(5, len(words) - 1), 0, -1):
        if labels.plain(" ".join(words[:count])) in names:
            yield _NO_COLON, " ".join(words[count:])
            return


def _tails(head: str) -> list[str]:
    """The last words before a colon: a label follows the value of the one before it."""
    words = head.split()
    return [head, *(" ".join(words[-count:]) for count in range(1, min(5, len(words) + 1)))]


def _without_label(value: str) -> str:
    """A value without the label that the next one has before its colon."""
    words = value.split()
    cut = next((count for count in range(4, 0, -1) if labels.is_label(" ".join(words[-count:]))), 0)
    return " ".join(words[: len(words) - cut]) if cut < len(words) else value


def _around(lines: Sequence[Line], number: int, chance: float, *, several: bool, figures: bool) -> Iterator[_Place]:
    label = lines[number]
    free = [line for line in lines if line.page == label.page and line is not label and not labels.is_label(line.text)]
    right = min((line for line in free if _right_of(line, label)), key=lambda line: line.place.left, default=None)
    below = min((line for line in free if _below(line, label)), key=lambda line: line.place.top, default=None)
    if right is not None and not _cut_off(lines, label, right):
        near = 1.0 if figures else _nearness(right, label)
        yield _Place(text=right.text, lines=(right,), chance=chance * _RIGHT * near)
    if below is not None:
        held = (below, *_following(free, below)) if several else (below,)
        yield _Place(
            text=" ".join(line.text for line in held),
            lines=held,
            chance=chance * (_FIGURE_BELOW if figures else _BELOW),
        )


def _right_of(line: Line, label: Line) -> bool:
    tall = min(line.place.height, label.place.height)
    return abs(line.place.middle - label.place.middle) < 0.6 * tall and line.place.left >= label.place.right - tall / 2


def _below(line: Line, label: Line) -> bool:
    """Under the label, starting where it starts or ending where it ends, and near."""
    tall = max(line.place.height, label.place.height)
    gap = line.place.top - label.place.bottom
    aligned = abs(line.place.left - label.place.left) < 1.2 * tall or abs(line.place.right - label.place.right) < tall
    inside = label.place.left - tall / 2 <= line.place.left <= label.place.right
    return -0.6 * tall < gap < 1.6 * tall and line.place.middle > label.place.middle + tall / 2 and (aligned or inside)


def _cut_off(lines: Sequence[Line], label: Line, value: Line) -> bool:
    """True when another label stands between the two."""
    return any(
        _right_of(line, label) and line.place.right <= value.place.left and labels.is_label(line.text) for line in lines
    )


def _nearness(value: Line, label: Line) -> float:
    gap = max(0.0, value.place.left - label.place.right) / max(1.0, label.place.height)
    return 1.0 if gap < 6 else max(0.5, 1 - gap / 60)


def _following(free: Sequence[Line], line: Line) -> Iterator[Line]:
    """The lines that go on below, flush with it and close, as those of an address do."""
    for _ in range(3):
        under = [one for one in free if _goes_on(one, line)]
        if not under:
            return
        line = min(under, key=lambda one: one.place.top)
        yield line


def _goes_on(line: Line, above: Line) -> bool:
    """Flush, close and as high: a label is mostly smaller than the value above it."""
    tall = above.place.height
    flush = abs(line.place.left - above.place.left) < tall
    alike = 0.8 < line.place.height / max(tall, 1e-6) < 1.25
    near = -0.3 * tall < line.place.top - above.place.bottom < 0.4 * tall
    return flush and alike and near and line.place.top > above.place.top
