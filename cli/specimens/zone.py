"""Composes machine-readable zones after ICAO 9303, parts 4 to 7."""

from __future__ import annotations

import re
import unicodedata
from typing import Final

from cli.specimens.person import Person

ISSUER: Final = "UTO"
FORMATS: Final = ("td1", "td2", "td3", "mrva", "mrvb")
_SPELT: Final = {
    "Ä": "AE", "Ö": "OE", "Ü": "UE", "Å": "AA", "Æ": "AE", "Ø": "OE", "ß": "SS", "Ð": "D", "Þ": "TH", "Ł": "L",
    "Ñ": "N", "'": "",
}  # fmt: skip


def compose(form: str, person: Person) -> list[str]:
    """The lines of the zone: `form` is one of `FORMATS`."""
    if form == "td1":
        return _three_lines(person)
    width, code = {"td2": (36, "I<"), "td3": (44, "P<"), "mrva": (44, "V<"), "mrvb": (36, "V<")}[form]
    first = _pad(f"{code}{ISSUER}{_names(person, width - 5)}", width)
    number = _checked(_pad(person.number, 9))
    born, expires = (_checked(date.strftime("%y%m%d")) for date in (person.born, person.expires))
    second = f"{number}{_pad(person.nationality, 3)}{born}{_sex(person)}{expires}"
    if form.startswith("mrv"):
        return [first, _pad(second, width)]
    optional = _pad(person.personal_number, 7) if form == "td2" else _personal(person)
    return [first, f"{second}{optional}{_digit(number + born + expires + optional)}"]


def _three_lines(person: Person) -> list[str]:
    number = _checked(_pad(person.number, 9))
    born, expires = (_checked(date.strftime("%y%m%d")) for date in (person.born, person.expires))
    optional = _pad(person.personal_number, 15)
    more = "<" * 11
    second = f"{born}{_sex(person)}{expires}{_pad(person.nationality, 3)}{more}"
    overall = _digit(number + optional + born + expires + more)
    return [f"I<{ISSUER}{number}{optional}", second + overall, _names(person, 30)]


def _personal(person: Person) -> str:
    return _checked(_pad(person.personal_number, 14)) if person.personal_number else "<" * 15


def _checked(field: str) -> str:
    return field + _digit(field)


def _digit(text: str) -> str:
    values = (0 if char == "<" else int(char, 36) for char in text)
    return str(sum(value * (7, 3, 1)[place % 3] for place, value in enumerate(values)) % 10)


def _sex(person: Person) -> str:
    return "<" if person.sex == "X" else person.sex


def _names(person: Person, width: int) -> str:
    surname, given = _plain(person.surname), _plain(person.given_names)
    return _pad(f"{surname}<<{given}", width)


def _plain(name: str) -> str:
    """Letters as ICAO 9303-3 section 6 writes them, with `<` between words."""
    spelt = "".join(_SPELT.get(char, char) for char in name.upper())
    ascii_letters = unicodedata.normalize("NFKD", spelt).encode("ascii", "ignore").decode()
    return re.sub(r"[^A-Z]+", "<", ascii_letters)


def _pad(text: str, width: int) -> str:
    return text[:width].ljust(width, "<")
