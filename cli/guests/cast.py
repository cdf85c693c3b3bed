"""Who the guests are: their documents, how well they photograph them, and what has to come of it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import date, timedelta
from typing import Final

from cli import specimens
from cli.specimens import Distortion, Person

BY_HAND: Final = Distortion(width=1100, rotation=2.0, perspective=0.02, noise=4, light=0.2, jpeg=85)
"""How a guest photographs who takes care."""
BLURRED: Final = replace(BY_HAND, blur=6.0)
MIRRORING: Final = replace(BY_HAND, glare=(0.80, 0.68))
"""A licence under a lamp, which hides until when it is valid."""
_YEARS: Final = timedelta(days=3650)


@dataclass(frozen=True, kw_only=True, slots=True)
class Expected:
    """The outcome of the flow, its reason, and who approved, which is nobody or `staff`."""

    outcome: str
    reason: str
    approved_by: str | None = None

    def __str__(self) -> str:
        return self.outcome.replace("_", " ") + (f" by {self.approved_by}" if self.approved_by else "")


@dataclass(frozen=True, kw_only=True, slots=True)
class Guest:
    """Somebody with a document, of which `pictures` are sent one after the other as they are asked for.

    `album`: all at once instead. The last one is sent again where more are asked for.
    """

    name: str
    about: str
    user: str
    person: Person
    pictures: Sequence[tuple[str, Distortion]]
    expected: Expected
    album: bool = False

    def __str__(self) -> str:
        return f"{self.name}: {self.about}"

    def draw(self, seed: int) -> tuple[bytes, ...]:
        """The pictures, as `cli.specimens` draws and photographs them."""
        return tuple(
            specimens.draw(kind, self.person, distortion, seed + number)
            for number, (kind, distortion) in enumerate(self.pictures)
        )


def six(today: date, round_: int = 0) -> tuple[Guest, ...]:
    """The six of the demo; of another round with other numbers, birthdays, telephones and photographs.

    Their names are those of `agents/reservation_check/sample.sql`, whose reservations are for every today.
    """
    seed = 100 * round_
    by_hand = BY_HAND if round_ == 0 else _another_hand(seed)
    valid, expired = today + timedelta(days=900 + round_), today - timedelta(days=40 + round_)
    zone, print_ = Expected(outcome="verified", reason="zone"), "licence"

    def guest(
        number: int, given: str, surname: str, about: str, pictures: Sequence[tuple[str, Distortion]],
        expected: Expected, *, expires: date = valid, album: bool = False,
    ) -> Guest:  # fmt: skip
        person = _person(seed + number, surname, given, expires)
        user = f"3460{round_:04d}{number:03d}"
        return Guest(
            name=given.split(maxsplit=1)[0],
            about=about,
            user=user,
            person=person,
            pictures=pictures,
            expected=expected,
            album=album,
        )

    return (
        guest(1, "María José", "Muñoz Ávila", "a good passport", [("td3", by_hand)], zone),
        guest(2, "Søren", "Müller", "blurred, then good", [("td3", BLURRED), ("td3", by_hand)], zone),
        guest(3, "Óscar", "Núñez", "an expired passport", [("td3", by_hand)],
              Expected(outcome="expired", reason="expired"), expires=expired),
        guest(4, "Ximena", "Okafor", "no reservation", [("td3", by_hand)],
              Expected(outcome="no_reservation", reason="zone")),
        guest(5, "Lucía Inés", "Benítez Solís", "hidden date, to a person", [(print_, MIRRORING)],
              Expected(outcome="verified", reason="unclear", approved_by="staff")),
        guest(6, "Juan Sebastián", "Villavicencio Echeverría", "front and back of a card",
              [("td1_front", by_hand), ("td1_back", by_hand)], zone, album=round_ % 2 == 1),
    )  # fmt: skip


def _person(seed: int, surname: str, given_names: str, expires: date) -> Person:
    invented = specimens.invent(seed)
    return replace(invented, surname=surname, given_names=given_names, expires=expires, issued=expires - _YEARS)


def _another_hand(seed: int) -> Distortion:
    """A photograph as moderate as those that the measures of reading hold for."""
    return specimens.moderate(seed, 0.5)
