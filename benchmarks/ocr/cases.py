"""The pictures: who is on them, what was done to them, and what they say."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from cli import specimens
from cli.specimens import Person

_ZONES: Final = {"td1": "td1_back", "td2": "td2", "td3": "td3"}
_PRINTED: Final = ("td1_front", "licence")
_FIRST_PERSON: Final = 20_000


@dataclass(frozen=True, kw_only=True, slots=True)
class Case:
    """A picture with the zone and the fields that a perfect reader finds; a page without a zone has no lines."""

    kind: str
    picture: bytes
    lines: tuple[str, ...]
    fields: Mapping[str, str]


def zone_cases(count: int, severity: float) -> list[Case]:
    """TD1, TD2 and TD3 in turn, distorted up to `severity` times the stated limits."""
    return [_case(_ZONES[form], form, number, severity) for number in range(count) for form in [_turn(_ZONES, number)]]


def printed_cases(count: int, severity: float) -> list[Case]:
    """Fronts of cards and driving licences, which have print alone."""
    return [_case(_PRINTED[number % len(_PRINTED)], "", number, severity) for number in range(count)]


def _turn(forms: Mapping[str, str], number: int) -> str:
    return list(forms)[number % len(forms)]


def _case(kind: str, form: str, number: int, severity: float) -> Case:
    person = specimens.invent(_FIRST_PERSON + number)
    picture = specimens.draw(kind, person, specimens.moderate(number, severity), seed=number)
    lines = tuple(specimens.compose(form, person)) if form else ()
    return Case(kind=kind, picture=picture, lines=lines, fields=_fields(kind, person))


def _fields(kind: str, person: Person) -> dict[str, str]:
    """What stands on the page, as `ocr_structured` writes it. The back of a card has the address and the zone alone."""
    common = {
        "number": person.number,
        "birth_date": person.born.isoformat(),
        "expiry_date": person.expires.isoformat(),
    }
    if kind == "td1_back":
        return common | {"address": person.address}
    upper = kind != "td3"
    names = {"surname": person.surname, "given_names": person.given_names}
    fields = common | {name: value.upper() if upper else value for name, value in names.items()}
    return fields | ({"address": person.address} if kind == "licence" else {})
