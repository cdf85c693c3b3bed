"""The layouts of machine-readable zones: TD1, TD2, TD3, MRV-A and MRV-B of ICAO 9303, parts 4 to 7."""

from dataclasses import dataclass, replace
from string import ascii_uppercase, digits
from typing import Final

FILLER: Final = "<"
_LETTERS: Final = frozenset(ascii_uppercase + FILLER)
_DIGITS: Final = frozenset(digits)
_ANY: Final = _LETTERS | _DIGITS
ALPHABET: Final = ascii_uppercase + digits + FILLER
ANGLES: Final = "\u2039\u00ab\u3008\u300a\u2264\uff1c"
"""Marks as which recognisers see the filler."""
WEIGHTS: Final = (7, 3, 1)
COMPOSITE: Final = "composite"


@dataclass(frozen=True, kw_only=True, slots=True)
class Cell:
    """One character of a zone.

    `field` it belongs to; `allowed` characters; `sums` names the check digit that it counts for, and `place` its place
    in that sum; `composite_place` its place in the sum over the whole zone, -1 when it does not count there; `checks`
    names the field, or `composite`, whose check digit it is.
    """

    field: str
    allowed: frozenset[str]
    sums: str = ""
    place: int = 0
    composite_place: int = -1
    checks: str = ""


@dataclass(frozen=True, kw_only=True, slots=True)
class Format:
    """A layout: its name, the width of its lines and the cells of each. `names` is the line with the names."""

    name: str
    width: int
    lines: tuple[tuple[Cell, ...], ...]

    @property
    def cells(self) -> tuple[Cell, ...]:
        """All cells in reading order."""
        return tuple(cell for line in self.lines for cell in line)


def value(char: str) -> int:
    """What a character counts in a check digit: digits themselves, A to Z 10 to 35, the filler 0."""
    return 0 if char == FILLER else int(char, 36)


def check_digit(text: str) -> int:
    """The check digit of a text after ICAO 9303-3, section 4.9."""
    return sum(value(char) * WEIGHTS[place % 3] for place, char in enumerate(text)) % 10


def _plain(field: str, length: int, allowed: frozenset[str]) -> list[Cell]:
    return [Cell(field=field, allowed=allowed)] * length


def _summed(field: str, classes: list[frozenset[str]]) -> list[Cell]:
    return [Cell(field=field, allowed=allowed, sums=field, place=place) for place, allowed in enumerate(classes)]


def _check(of: str, *, blank: bool = False) -> list[Cell]:
    allowed = _DIGITS | {FILLER} if blank else _DIGITS
    return [Cell(field=f"{of}_check", allowed=allowed, checks=of)]


def _date(field: str) -> list[Cell]:
    """YYMMDD: the first digit of a month is 0 or 1, that of a day 0 to 3; what is not known is a filler."""
    classes = (digits, digits, "01", digits, "0123", digits)
    return [*_summed(field, [frozenset(chars + FILLER) for chars in classes]), *_check(field)]


def _code(first: str) -> list[Cell]:
    return [Cell(field="code", allowed=frozenset(first)), Cell(field="code", allowed=_LETTERS)]


def _number(*, blank: bool) -> list[Cell]:
    return [*_summed("number", [_ANY] * 9), *_check("number", blank=blank)]


_SEX: Final = Cell(field="sex", allowed=frozenset("MF<"))
_STATE: Final = _plain("state", 3, _LETTERS)
_NATION: Final = _plain("nationality", 3, _LETTERS)


def _composed(name: str, width: int, lines: list[list[Cell]], outside: frozenset[str]) -> Format:
    """Numbers the cells that count in the sum over the zone: all but those of the fields `outside`."""
    place = 0
    numbered = []
    for line in lines:
        cells = []
        for cell in line:
            counts = cell.field not in outside
            cells.append(replace(cell, composite_place=place) if counts else cell)
            place += counts
        numbered.append(tuple(cells))
    return Format(name=name, width=width, lines=tuple(numbered))


_OUTSIDE: Final = frozenset({"code", "state", "names", "nationality", "sex", "composite_check", "filler"})
_OWN_CHECK: Final = ("number", "birth_date", "expiry_date")
_ALL: Final = _OUTSIDE | {"optional", *_OWN_CHECK, *(f"{name}_check" for name in _OWN_CHECK)}


def td3() -> Format:
    """A passport: two lines of 44."""
    first = [*_code("P"), *_STATE, *_plain("names", 39, _LETTERS)]
    personal = [*_summed("optional", [_ANY] * 14), *_check("optional", blank=True)]
    second = [*_number(blank=False), *_NATION, *_date("birth_date"), _SEX, *_date("expiry_date"), *personal]
    return _composed("TD3", 44, [first, [*second, *_check(COMPOSITE)]], _OUTSIDE)


def td2(extra: int = 0) -> Format:
    """A card of two lines of 36; `extra` characters of a long document number stand in the optional data."""
    first = [*_code("ACIP"), *_STATE, *_plain("names", 31, _LETTERS)]
    second = [*_number(blank=True), *_NATION, *_date("birth_date"), _SEX, *_date("expiry_date"), *_optional(7)]
    return _long(_composed("TD2", 36, [first, [*second, *_check(COMPOSITE)]], _OUTSIDE), extra)


def td1(extra: int = 0) -> Format:
    """A card of three lines of 30; `extra` as for `td2`."""
    first = [*_code("ACI"), *_STATE, *_number(blank=True), *_optional(15)]
    more = _plain("optional_2", 11, _ANY)
    second = [*_date("birth_date"), _SEX, *_date("expiry_date"), *_NATION, *more, *_check(COMPOSITE)]
    return _long(_composed("TD1", 30, [first, second, _plain("names", 30, _LETTERS)], _OUTSIDE), extra)


def mrv(name: str, width: int) -> Format:
    """A visa, whose zone has no check digit over all of it."""
    first = [*_code("V"), *_STATE, *_plain("names", width - 5, _LETTERS)]
    second = [*_number(blank=False), *_NATION, *_date("birth_date"), _SEX, *_date("expiry_date")]
    return _composed(name, width, [first, [*second, *_optional(width - 28)]], _ALL)


def _optional(length: int) -> list[Cell]:
    return _plain("optional", length, _ANY)


def _long(form: Format, extra: int) -> Format:
    """A document number of more than nine: a filler for its check digit, then the rest, the check digit, a filler."""
    if not extra:
        return form
    lines = [list(line) for line in form.lines]
    line = next(line for line in lines if any(cell.checks == "number" for cell in line))
    mark = next(place for place, cell in enumerate(line) if cell.checks == "number")
    start = next(place for place, cell in enumerate(line) if cell.field == "optional")
    line[mark] = replace(line[mark], field="number_mark", allowed=frozenset(FILLER), checks="")
    for step in range(extra):
        line[start + step] = replace(line[start + step], field="number", sums="number", place=9 + step)
    line[start + extra] = replace(line[start + extra], field="number_check", allowed=_DIGITS, checks="number")
    return replace(form, lines=tuple(map(tuple, lines)))


FORMATS: Final = (td1(), td2(), td3(), mrv("MRV-A", 44), mrv("MRV-B", 36))
EXTENDABLE: Final = {"TD1": (td1, 13), "TD2": (td2, 5)}
"""The formats with room for a long document number, and for how many more characters."""
