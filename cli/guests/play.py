"""A guest at the telephone: reads what the hotel writes, does what it asks for, until the execution has ended."""

from __future__ import annotations

import re
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any, Final

from aispine.errors import StackError
from cli.client import Client
from cli.guests.cast import Expected, Guest
from cli.guests.hotel import FLOW, Hotel
from cli.standin import Message, Phone, Told

PATIENCE: Final = 300.0
"""Seconds that a guest waits for an answer; a machine that others use too may be slow."""
_YES: Final = "Sí"
_WANTS_PICTURE: Final = re.compile(r"env[ií]e|hágala|necesito una foto", re.IGNORECASE)
_EXECUTIONS: Final = "/api/v1/executions"
_GLANCE_SECONDS: Final = 0.1
_NEWEST: Final = 50


@dataclass(frozen=True, kw_only=True, slots=True)
class Played:
    """What came of a guest. `seconds` are from the first message to the last answer, as the guest sees it."""

    guest: Guest
    execution_id: str
    found: Expected
    asked: int
    seconds: float

    @property
    def right(self) -> bool:
        return self.found == self.guest.expected


def play(
    client: Client,
    hotel: Hotel,
    guest: Guest,
    pictures: tuple[bytes, ...],
    *,
    told: Callable[[Told], None] = lambda _: None,
    started: Callable[[str], None] = lambda _: None,
) -> Played:
    """Plays a guest to the end. `started` is told the execution's id. Raises `StackError` when no answer comes."""
    phone = hotel.phone(guest.user, f"{guest.person.given_names} {guest.person.surname}", told)
    began = time.monotonic()
    phone.writes("Hola")
    message = _needed(phone, guest)
    execution_id = execution_of(client, guest.user)
    started(execution_id)
    talk = _converse(phone, guest, pictures, message)
    execution = _ended(client, execution_id)
    output = execution["output"] or {}
    found = Expected(
        outcome=output.get("outcome") or execution["status"],
        reason=output.get("reason") or "",
        approved_by="staff" if output.get("approved_by") else None,
    )
    seconds = talk.last.at - began
    return Played(guest=guest, execution_id=execution_id, found=found, asked=talk.pictures, seconds=seconds)


@dataclass(frozen=True, kw_only=True, slots=True)
class _Talk:
    """How often a picture was asked for, and the message after which nothing is asked."""

    pictures: int
    last: Message


def _converse(phone: Phone, guest: Guest, pictures: tuple[bytes, ...], message: Message) -> _Talk:
    asked, left = 0, _sendings(guest, pictures)
    while True:
        if _YES in message.buttons:
            phone.presses(_YES, message)
        elif _WANTS_PICTURE.search(message.text):
            asked += 1
            phone.sends(*next(left))
        else:
            return _Talk(pictures=asked, last=message)
        message = _needed(phone, guest)


def _sendings(guest: Guest, pictures: tuple[bytes, ...]) -> Iterator[tuple[bytes, ...]]:
    """What is sent each time that something is asked for."""
    if guest.album:
        yield pictures
    else:
        yield from ((picture,) for picture in pictures)
    while True:
        yield pictures[-1:]


def _needed(phone: Phone, guest: Guest) -> Message:
    message = phone.receives(PATIENCE)
    if message is None:
        raise StackError(f"{guest} got no answer within {PATIENCE:g} s")
    return message


def execution_of(client: Client, user: str) -> str:
    """The execution that a person's message started; the newest one."""
    rows = client.get(_EXECUTIONS, params={"flow_id": FLOW, "limit": _NEWEST})["data"]
    for row in rows:
        shown = client.get(f"{_EXECUTIONS}/{row['execution_id']}")
        if shown["input"]["channel"]["user_id"] == user:
            return str(row["execution_id"])
    raise StackError(f"no execution of {FLOW} was started by {user}")


def _ended(client: Client, execution_id: str) -> Any:
    """The execution, which ends a moment after its last message."""
    deadline = time.monotonic() + PATIENCE
    while time.monotonic() < deadline:
        execution = client.get(f"{_EXECUTIONS}/{execution_id}")
        if execution["finished_at"] is not None:
            return execution
        time.sleep(_GLANCE_SECONDS)
    raise StackError(f"the execution {execution_id} did not end within {PATIENCE:g} s of its last message")
