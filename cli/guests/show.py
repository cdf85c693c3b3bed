"""Six guests at once on a stack, shown while they talk."""

from __future__ import annotations

import functools
import queue
import threading
from collections.abc import Sequence
from typing import TYPE_CHECKING, Final

from aispine.errors import AISpineError
from cli import watch
from cli.guests import hotel as hotels
from cli.guests import screen
from cli.guests.play import PATIENCE, Played, play
from cli.guests.screen import Screen
from cli.progress import Progress

if TYPE_CHECKING:
    from rich.console import Console

    from cli.client import Client
    from cli.guests.cast import Guest
    from cli.guests.hotel import Hotel

Drawn = Sequence[tuple["Guest", tuple[bytes, ...]]]
_RUN_SECONDS: Final = 2 * PATIENCE


def show(console: Console, client: Client, hotel: Hotel, drawn: Drawn) -> list[Played]:
    """Plays all guests at once, shows them, and writes what came of each. Raises `AISpineError` of a wrong outcome."""
    view = Screen(console, [guest for guest, _ in drawn])
    with view.live(), hotels.clerk(hotel, functools.partial(view.hear, None)):
        played = _all(client, hotel, drawn, view)
    screen.write_outcomes(console, played)
    judge(played)
    return played


def judge(played: Sequence[Played]) -> None:
    """Raises `AISpineError`, with which a command ends with 1, unless everybody came to what was expected."""
    wrong = [one for one in played if not one.right]
    if wrong:
        raise AISpineError(
            f"{len(wrong)} of {len(played)} guests came to another outcome than expected",
            errors=[{"path": str(one.guest), "message": f"{one.found} ({one.found.reason})"} for one in wrong],
        )


def _all(client: Client, hotel: Hotel, drawn: Drawn, view: Screen) -> list[Played]:
    """Plays all, each in a thread that nobody waits for once one has failed or the command is told to end."""
    ended: queue.SimpleQueue[Played | Exception] = queue.SimpleQueue()

    def run(guest: Guest, pictures: tuple[bytes, ...], own: Client) -> None:
        try:
            ended.put(_play(own, hotel, guest, pictures, view))
        except Exception as error:  # noqa: BLE001 - raised by who waits
            ended.put(error)

    for guest, pictures in drawn:
        threading.Thread(target=run, args=(guest, pictures, client.twin()), daemon=True).start()
    played = {one.guest.user: one for one in (_raised(ended.get()) for _ in drawn)}
    return [played[guest.user] for guest, _ in drawn]


def _raised(one: Played | Exception) -> Played:
    if isinstance(one, Exception):
        raise one
    return one


def _play(client: Client, hotel: Hotel, guest: Guest, pictures: tuple[bytes, ...], view: Screen) -> Played:
    following: list[threading.Thread] = []

    def started(execution_id: str) -> None:
        thread = threading.Thread(target=_follow, args=(client.twin(), guest, execution_id, view), daemon=True)
        thread.start()
        following.append(thread)

    played = play(client, hotel, guest, pictures, told=functools.partial(view.hear, guest), started=started)
    for thread in following:
        thread.join(_RUN_SECONDS)
    view.end(played)
    return played


def _follow(client: Client, guest: Guest, execution_id: str, view: Screen) -> None:
    """Brings a guest's row forward with the events of the execution, up to its end."""
    execution = watch.show(client, execution_id)
    progress = Progress(execution, watch.shape(client, execution))
    view.begin(guest, progress)
    for event in client.stream(f"/api/v1/executions/{execution_id}/stream", timeout=_RUN_SECONDS):
        view.apply(guest, event.data)
        if progress.ended:
            return
