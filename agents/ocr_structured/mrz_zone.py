"""What a machine-readable zone says: its fields, its check digits, and whether they hold."""

from dataclasses import dataclass
from datetime import date
from typing import Any, Final

from .mrz_format import COMPOSITE, FILLER, Cell, check_digit
from .mrz_solve import Repair, Solution

_PIVOT: Final = 70
"""An expiry with a year of two digits from this on was in the last century: the zones are from the eighties."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Zone:
    """A zone that was read. Dates are ISO; of a date of which a part is not known only the `raw` characters stay.

    `checks` says of each check digit whether it holds; `valid` that all of them do, and every character may stand where
    it stands.
    """

    format: str
    lines: tuple[str, ...]
    fields: dict[str, Any]
    checks: dict[str, bool]
    valid: bool
    repairs: tuple[Repair, ...]
    misfits: tuple[tuple[int, int], ...]
    cost: float


def interpret(solution: Solution, today: date) -> Zone:
    """The zone that a solution spells; `today` decides the century of a birth date."""
    raw = _raw(solution)
    checks = _checks(solution)
    return Zone(
        format=solution.format.name,
        lines=solution.lines,
        fields=_fields(raw, today),
        checks=checks,
        valid=all(checks.values()) and not solution.misfits,
        repairs=solution.repairs,
        misfits=solution.misfits,
        cost=solution.cost,
    )


def _raw(solution: Solution) -> dict[str, str]:
    text = "".join(solution.lines)
    raw: dict[str, str] = {}
    for cell, char in zip(solution.format.cells, text, strict=True):
        raw[cell.field] = raw.get(cell.field, "") + char
    return raw


def _checks(solution: Solution) -> dict[str, bool]:
    cells, text = solution.format.cells, "".join(solution.lines)
    digits = {cell.checks: char for cell, char in zip(cells, text, strict=True) if cell.checks}
    return {name: _holds(_summed(name, cells, text), digit) for name, digit in digits.items()}


def _summed(name: str, cells: tuple[Cell, ...], text: str) -> str:
    if name == COMPOSITE:
        return "".join(char for cell, char in zip(cells, text, strict=True) if cell.composite_place >= 0)
    return "".join(char for cell, char in zip(cells, text, strict=True) if cell.sums == name)


def _holds(summed: str, digit: str) -> bool:
    """A blank check digit is right for a field that is blank: some issuers write a filler there, some a zero."""
    if digit == FILLER:
        return not summed.strip(FILLER)
    return digit.isdigit() and check_digit(summed) == int(digit)


def _fields(raw: dict[str, str], today: date) -> dict[str, Any]:
    surname, _, given = raw["names"].partition(FILLER * 2)
    fields = {
        "document_code": raw["code"].strip(FILLER),
        "issuing_state": raw["state"].strip(FILLER),
        "surname": _words(surname),
        "given_names": _words(given),
        "number": raw["number"].strip(FILLER).replace(FILLER, ""),
        "nationality": raw["nationality"].strip(FILLER),
        "birth_date": _birth(raw["birth_date"], today),
        "sex": {"M": "M", "F": "F"}.get(raw["sex"], "X"),
        "expiry_date": _expiry(raw["expiry_date"]),
        "optional": _words(raw["optional"]),
        "names_truncated": not raw["names"].endswith(FILLER),
    }
    fields["full_name"] = f"{fields['given_names']} {fields['surname']}".strip()
    if "optional_2" in raw:
        fields["optional_2"] = _words(raw["optional_2"])
    return fields


def _words(text: str) -> str:
    return " ".join(text.replace(FILLER, " ").split())


def _birth(raw: str, today: date) -> str | None:
    """Nobody is born after today, so a year of two digits is the last one that has begun."""
    if not raw.isdigit():
        return None
    born = _date(2000 + int(raw[:2]), raw)
    if born is not None and born > today.isoformat():
        return _date(1900 + int(raw[:2]), raw)
    return born


def _expiry(raw: str) -> str | None:
    if not raw.isdigit():
        return None
    year = int(raw[:2])
    return _date((1900 if year >= _PIVOT else 2000) + year, raw)


def _date(year: int, raw: str) -> str | None:
    try:
        return date(year, int(raw[2:4]), int(raw[4:6])).isoformat()
    except ValueError:
        return None
