"""Machine-readable zones as plain text, of which no more is known than the characters."""

import re
import unicodedata
from collections.abc import Mapping
from typing import Final

from .mrz_format import ALPHABET, ANGLES, FILLER
from .mrz_solve import Reading

_ALIKE: Final[Mapping[float, tuple[str, ...]]] = {
    4.5: ("0ODQ", "1ILJT", "4A", "7TY", "9G", "CG", "MN", "UV", "EF", "PR", "KX", "HN", "VY"),
    3.0: ("2Z", "5S", "8B", "6G"),
    2.0: ("1I",),
    1.5: ("0O",),
}
"""Groups of characters that are taken for each other, by what that costs: those that happen often cost little."""
_FILLER_LIKE: Final = "KCLESXGZVR"
_LIKE_FILLER: Final = 3.5
_MISCOUNTED: Final = 0.5
"""The cost of a filler too many or too few."""
_FILLERS: Final = str.maketrans(dict.fromkeys(ANGLES, FILLER))


def cleaned(line: str) -> str:
    """A line in the alphabet of zones: upper case, without spaces, every kind of angle as the filler."""
    upper = unicodedata.normalize("NFKD", line.translate(_FILLERS)).upper()
    return "".join(char for char in upper if char in ALPHABET)


def _table() -> dict[str, dict[str, float]]:
    table: dict[str, dict[str, float]] = {char: {} for char in ALPHABET}
    for cost, groups in _ALIKE.items():
        for group in groups:
            for one in group:
                table[one] |= dict.fromkeys(group, cost)
    for letter in _FILLER_LIKE:
        table[letter][FILLER] = _LIKE_FILLER
    return {char: costs | {char: 0.0} for char, costs in table.items()}


_GLYPHS: Final[Mapping[str, Mapping[str, float]]] = _table()
_TRUST: Final = 0.1


def softened(glyph: Mapping[str, float]) -> Mapping[str, float]:
    """A glyph as a recogniser sees it, with what it is too sure about: that an O is no zero, that an I is no one."""
    first = min(glyph, key=lambda char: (glyph[char], char))
    known = _GLYPHS[first]
    return {char: min(cost, known[char] + _TRUST * cost) if char in known else cost for char, cost in glyph.items()}


def read(line: str, width: int) -> Reading | None:
    """The places of a cleaned line of this width; None when it is too far from it to be one."""
    fitted = fit(line, width)
    if fitted is None:
        return None
    return Reading(glyphs=[_GLYPHS[char] for char in fitted], cost=_MISCOUNTED * abs(width - len(line)))


def fit(line: str, width: int, tolerance: int = 6) -> str | None:
    """The line with fillers added to, or taken from, its longest run of them, which recognisers count badly."""
    missing = width - len(line)
    if missing == 0:
        return line
    runs = [match.span() for match in re.finditer(f"{FILLER}+", line)]
    if abs(missing) > max(tolerance, width // 5 if line.endswith(FILLER) else 0) or not runs:
        return None
    start, end = max(runs, key=lambda run: (run[1] - run[0], run[0]))
    if end - start + missing < 1:
        return None
    return line[:start] + FILLER * (end - start + missing) + line[end:]


def in_alphabet(line: str) -> bool:
    """True when a raw line could be a part of one of a zone."""
    return bool(line) and all(char in ALPHABET for char in line.translate(_FILLERS).replace(" ", ""))


def likeness(line: str) -> float:
    """How much a raw line looks like one of a zone, 0 to 1: its alphabet, its fillers, its length, no small letters."""
    text = cleaned(line)
    if len(text) < 24 or len(text) > 60:
        return 0.0
    inside = sum(char in ALPHABET for char in line.translate(_FILLERS)) / max(1, len(line.replace(" ", "")))
    fillers = text.count(FILLER) / len(text)
    digits = sum(char.isdigit() for char in text) / len(text)
    small = sum(char.islower() for char in line) / len(text)
    return max(0.0, min(1.0, inside) * min(1.0, 0.35 + 4 * fillers + 0.6 * digits) - 2 * small)
