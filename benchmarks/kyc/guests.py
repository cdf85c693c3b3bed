"""Rounds of six guests at once, one round after the other, each guest with an outcome that is known."""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime

from aispine.errors import StackError
from cli.client import Client
from cli.guests import cast, hotel
from cli.guests.cast import Guest
from cli.guests.hotel import Hotel
from cli.guests.play import Played, play


def rounds(client: Client, opened: Hotel, count: int) -> Iterator[list[Played]]:
    """Plays `count` rounds. A round's pictures are drawn before its time begins."""
    today = datetime.now(UTC).date()
    with hotel.clerk(opened, lambda _: None):
        for number in range(1, count + 1):
            drawn = [(guest, guest.draw(1000 * number + place)) for place, guest in enumerate(cast.six(today, number))]
            with ThreadPoolExecutor(len(drawn)) as pool:
                waiting = [pool.submit(_play, client.twin(), opened, *pair) for pair in drawn]
                yield [future.result() for future in waiting]


def _play(client: Client, opened: Hotel, guest: Guest, pictures: tuple[bytes, ...]) -> Played:
    try:
        return play(client, opened, guest, pictures)
    except StackError as error:
        found = cast.Expected(outcome="no answer", reason=error.message)
        return Played(guest=guest, execution_id="", found=found, asked=0, seconds=float("inf"))
