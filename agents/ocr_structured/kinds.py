"""Values: what a text has to look like to be a date, an amount, a number or an address, and what it then is."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from datetime import date
from functools import partial
from typing import Any, Final

from .labels import plain

_MONTHS: Final = {
    name: number
    for number, names in enumerate(
        ("jan ene enero january", "feb febrero february", "mar marzo march", "apr abr abril april", "may mayo",
         "jun junio june", "jul julio july", "aug ago agosto august", "sep sept septiembre setiembre september",
         "oct octubre october", "nov noviembre november", "dec dic diciembre december"),
        start=1,
    )
    for name in names.split()
}  # fmt: skip
_SHORT_YEAR: Final = 100
_PIVOT: Final = 60
_YEAR_FIRST: Final = re.compile(r"(?<!\d)(\d{4})[-/. ](\d{1,2})[-/. ](\d{1,2})(?!\d)")
_YEAR_LAST: Final = re.compile(r"(?<!\d)(\d{1,2})\s?[-/. ]\s?(\d{1,2})\s?[-/. ]\s?(\d{4}|\d{2})(?!\d)")
_WORDS: Final = re.compile(
    r"(?<!\d)(\d{1,2})\.?[ -]?(?:de )?[ -]?([A-Za-z]{3,10})\.?,?[ -]?(?:de |del )?[ -]?(\d{4}|\d{2})(?!\d)"
)
_MONTH_FIRST: Final = re.compile(r"([A-Za-z]{3,10})\.? (\d{1,2}),? (\d{4})(?!\d)")
_EMAIL: Final = re.compile(r"[A-Za-z0-9._%+-]+@[A-Za-z0-9-]+(?:\.[A-Za-z0-9-]+)*\.[A-Za-z]{2,}")
_NO_MORE: Final = r"(?!\d|[.,]\d|\s?%)"
"""A rate is no amount."""
_AMOUNT: Final = re.compile(
    rf"(?<![\d.,])-?(?:\d{{1,3}}(?:[.,' ]\d{{3}})+(?:[.,]\d{{1,2}})?{_NO_MORE}|\d+(?:[.,]\d{{1,2}})?{_NO_MORE})"
)
_IBAN: Final = re.compile(r"\b[A-Z]{2}\d{2}(?: ?[A-Z0-9]{4}){2,7}(?: ?[A-Z0-9]{1,3})?\b")
_IDENTIFIER: Final = re.compile(r"[A-Z0-9](?:[A-Z0-9./-]{1,28}[A-Z0-9])", re.IGNORECASE)
_PHONE: Final = re.compile(r"\+?\d[\d ().-]{5,18}\d")
_SEX: Final = {"m": "M", "masculino": "M", "male": "M", "hombre": "M", "f": "F", "femenino": "F", "female": "F",
               "mujer": "F", "x": "X"}  # fmt: skip

Parser = Callable[[str], Any]


def day(text: str, *, month_first: bool = False) -> str | None:
    """The first date in a text, as ISO: 2029-04-03, 03/04/2029, 3 abr 2029, April 3, 2029."""
    for pattern, read in _DATES:
        found = pattern.search(text)
        if found and (value := read(found.groups(), month_first=month_first)):
            return value
    return None


def _ymd(groups: tuple[str, ...], *, month_first: bool) -> str | None:
    return _iso(groups[0], groups[1], groups[2])


def _dmy(groups: tuple[str, ...], *, month_first: bool) -> str | None:
    first, second, year = groups
    day_first, month = (second, first) if month_first else (first, second)
    return _iso(year, month, day_first) or _iso(year, day_first, month)


def _named(groups: tuple[str, ...], *, month_first: bool) -> str | None:
    number, word, year = groups if groups[0].isdigit() else (groups[1], groups[0], groups[2])
    month = _MONTHS.get(plain(word))
    return _iso(year, str(month), number) if month else None


_DATES: Final = ((_YEAR_FIRST, _ymd), (_WORDS, _named), (_MONTH_FIRST, _named), (_YEAR_LAST, _dmy))


def _iso(year: str, month: str, number: str) -> str | None:
    full = int(year) + (0 if int(year) >= _SHORT_YEAR else 1900 if int(year) >= _PIVOT else 2000)
    try:
        return date(full, int(month), int(number)).isoformat()
    except ValueError:
        return None


def amount(text: str) -> int | float | None:
    """The last amount in a text: 1.234,56 and 1,234.56 and 1 234,5."""
    if day(text) is not None and not re.search(r"[$€£]", text):
        return None
    found = _AMOUNT.findall(text.replace("\N{NO-BREAK SPACE}", " "))
    return _figure(found[-1]) if found else None


def _figure(text: str) -> int | float:
    bare = re.sub(r"[' ]", "", text)
    tail = re.search(r"[.,](\d{1,2})$", bare)
    whole = re.sub(r"[.,]", "", bare[: tail.start()] if tail else bare)
    value = float(f"{whole}.{tail.group(1)}" if tail else whole)
    return int(value) if value.is_integer() and not tail else value


def integer(text: str) -> int | None:
    """A whole number."""
    value = amount(text)
    return int(value) if value is not None and float(value).is_integer() else None


def email(text: str) -> str | None:
    """An e-mail address."""
    found = _EMAIL.search(text.replace(" ", ""))
    return found.group().lower() if found else None


def phone(text: str) -> str | None:
    """A phone number, as its figures with a plus when there is one."""
    found = _PHONE.search(text)
    return re.sub(r"[^\d+]", "", found.group()) if found and day(text) is None else None


def sex(text: str) -> str | None:
    """M, F or X."""
    return next((_SEX[word] for word in plain(text).split() if word in _SEX), None)


def identifier(text: str) -> str | None:
    """A number of a document: figures, with letters and strokes; at least two figures, and no date."""
    if day(text) is not None:
        return None
    found = (word for word in _IDENTIFIER.findall(text) if sum(char.isdigit() for char in word) >= 2)
    return next(found, None)


def iban(text: str) -> str | None:
    """The number of an account, without the spaces that it is written with; any other text as it is."""
    found = _IBAN.search(text)
    return found.group().replace(" ", "") if found else anything(text)


def name(text: str) -> str | None:
    """A name: words without figures."""
    bare = text.strip(" .:-,")
    return bare if sum(map(str.isalpha, bare)) >= 2 and not any(map(str.isdigit, bare)) else None


def nation(text: str) -> str | None:
    """A nationality: a word, or a code of one to three letters."""
    bare = text.strip(" .:-,")
    return bare if bare and all(char.isalpha() or char in " -" for char in bare) else None


def anything(text: str) -> str | None:
    """Any text."""
    return text.strip(" :") or None


_BY_FORMAT: Final[Mapping[str, Parser]] = {"date": day, "email": email, "phone": phone}
_BY_TYPE: Final[Mapping[str, Parser]] = {"number": amount, "integer": integer}
_BY_CONCEPT: Final[Mapping[str, Parser]] = {
    "surname": name, "given_names": name, "full_name": name,
    "document_number": identifier, "personal_number": identifier,
    "birth_date": day, "issue_date": day, "expiry_date": day, "date": day, "due_date": day, "sex": sex,
    "email": email, "phone": phone, "invoice_number": identifier, "tax_id": identifier, "iban": iban,
    "nationality": nation,
}  # fmt: skip
BY_LOOKS: Final[Mapping[Parser, str]] = {email: "email"}
"""What is known by its looks alone, without a label."""
FIGURES: Final = frozenset({amount, integer})
"""What reads figures that stand in rows."""


def parser(concept: str, rules: Mapping[str, Any]) -> Parser:
    """What reads a property: by its format, its type, then its concept; `x-month-first` says how its dates are."""
    found = (
        _BY_FORMAT.get(str(rules.get("format")))
        or _BY_TYPE.get(str(rules.get("type")))
        or _BY_CONCEPT.get(concept, anything)
    )
    return partial(day, month_first=True) if found is day and rules.get("x-month-first") is True else found


def fits(value: Any, rules: Mapping[str, Any]) -> bool:
    """True when a value keeps the property's `pattern` and `enum`."""
    pattern, allowed = rules.get("pattern"), rules.get("enum")
    if isinstance(pattern, str) and not re.search(pattern, str(value)):
        return False
    return value in allowed if isinstance(allowed, list) else True
