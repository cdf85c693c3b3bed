"""People who do not exist."""

from __future__ import annotations

import random
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Final

_SURNAMES: Final = (
    "Muñoz Ávila", "García Pérez", "Núñez", "Quispe Mamani", "de la Cruz", "Eriksson", "O'Connor", "Ibáñez Robles",
    "Guðmundsdóttir", "Nowak", "Zhang", "Müller", "Salazar Ordóñez", "Bjørnstad", "Çelik", "Smith-Jones", "Okafor",
    "Villavicencio Echeverría", "Iñiguez", "Dubois", "Lo Bianco", "Benítez Solís",
)  # fmt: skip
_GIVEN: Final = (
    "María José", "Anna Maria", "José Luis", "Óscar", "Sofía", "Iker", "Lucía Inés", "Bo", "Ian Oliver", "Zoë",
    "Juan Sebastián", "Ximena", "Élodie", "Wei", "Ada", "Søren", "Guadalupe del Carmen", "Dolores", "Quentin",
)  # fmt: skip
_NATIONS: Final = ("UTO", "ECU", "ESP", "D", "MEX", "GBR", "PER", "COL", "USA", "FRA", "SWE", "ISL")
_STREETS: Final = ("Avenida de los Sueños", "Calle del Olmo", "Harbour Street", "Paseo Imaginario", "Old Mill Lane")
_TOWNS: Final = ("Puerto Quimera", "Villa Ilusión", "Springhaven", "San Jamás", "Newhere")
_LETTERS: Final = "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
TODAY: Final = date(2026, 1, 15)


@dataclass(frozen=True, kw_only=True, slots=True)
class Person:
    """What a document says of its holder. `nationality` is an ICAO code of one or three letters, `sex` M, F or X."""

    surname: str
    given_names: str
    sex: str
    born: date
    nationality: str
    number: str
    issued: date
    expires: date
    personal_number: str = ""
    address: str = ""


def invent(seed: int, *, expired: bool = False) -> Person:
    """Somebody who does not exist; the same seed gives the same person. `TODAY` is before or after the expiry."""
    dice = random.Random(seed)  # noqa: S311 - nothing secret
    expires = TODAY + timedelta(days=dice.randint(200, 3400)) * (-1 if expired else 1)
    return Person(
        surname=dice.choice(_SURNAMES),
        given_names=dice.choice(_GIVEN),
        sex=dice.choice("MFMFMFX"),
        born=date(1940, 1, 1) + timedelta(days=dice.randint(0, 24000)),
        nationality=dice.choice(_NATIONS),
        number=_number(dice),
        issued=expires - timedelta(days=3650),
        expires=expires,
        personal_number=_digits(dice, 10) if dice.random() < 0.5 else "",
        address=f"{dice.choice(_STREETS)} {dice.randint(1, 320)}, {dice.choice(_TOWNS)}",
    )


def _number(dice: random.Random) -> str:
    """Some numbers are digits alone, some mix letters in, as issuers do."""
    if dice.random() < 0.4:
        return _digits(dice, 9)
    letters = "".join(dice.choice(_LETTERS) for _ in range(dice.randint(1, 3)))
    return letters + _digits(dice, 9 - len(letters))


def _digits(dice: random.Random, count: int) -> str:
    return "".join(str(dice.randint(0, 9)) for _ in range(count))
