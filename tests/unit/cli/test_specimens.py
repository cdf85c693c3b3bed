from __future__ import annotations

from datetime import date
from typing import Final

import pytest

from cli import specimens
from cli.specimens import Distortion, Person

ANNA: Final = Person(
    surname="Eriksson",
    given_names="Anna Maria",
    sex="F",
    born=date(1974, 8, 12),
    nationality="UTO",
    number="L898902C3",
    issued=date(2002, 4, 15),
    expires=date(2012, 4, 15),
    personal_number="ZE184226B",
)
"""The holder of the specimen passport in ICAO 9303-4."""


def test_a_passport_has_the_zone_of_the_specification() -> None:
    assert specimens.compose("td3", ANNA) == [
        "P<UTOERIKSSON<<ANNA<MARIA<<<<<<<<<<<<<<<<<<<",
        "L898902C36UTO7408122F1204159ZE184226B<<<<<10",
    ]


@pytest.mark.parametrize(("form", "widths"), [("td1", [30] * 3), ("td2", [36] * 2), ("mrva", [44] * 2)])
def test_every_line_has_its_width(form: str, widths: list[int]) -> None:
    assert [len(line) for line in specimens.compose(form, specimens.invent(1))] == widths


def test_letters_outside_the_alphabet_are_spelt() -> None:
    person = Person(
        surname="Müller Ñandú",
        given_names="Zoë",
        sex="X",
        born=date(1990, 1, 2),
        nationality="D",
        number="AB1",
        issued=date(2020, 1, 1),
        expires=date(2030, 1, 1),
    )
    first, second = specimens.compose("td2", person)
    assert first.startswith("I<UTOMUELLER<NANDU<<ZOE<<<")
    assert (second[:9], second[10:13], second[20]) == ("AB1<<<<<<", "D<<", "<")


@pytest.mark.parametrize("kind", specimens.KINDS)
def test_a_picture_is_drawn_of_every_kind(kind: str) -> None:
    assert specimens.draw(kind, ANNA).startswith(b"\x89PNG")


def test_the_same_seed_gives_the_same_picture() -> None:
    distortion = Distortion(width=300, rotation=5, perspective=0.05, blur=1, noise=6, light=0.2, jpeg=70)
    first, second, other = (specimens.draw("td3", ANNA, distortion, seed) for seed in (1, 1, 2))
    assert first.startswith(b"\xff\xd8")
    assert first == second != other


def test_an_unknown_kind_is_refused() -> None:
    with pytest.raises(ValueError, match="td1_front"):
        specimens.draw("stamp", ANNA)
