"""Webhooks that arrive at a fixed rate, whatever is answered: how long each waits for its answer."""

from __future__ import annotations

import math
import threading
import time
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Final

import requests

from aispine.errors import StackError
from cli.guests.hotel import Hotel
from cli.standin import webhooks

_CONNECTIONS: Final = 16
_PEOPLE: Final = 50
"""Who write at the same time, each once in a second at 50 a second; then others come."""
_EACH: Final = 5
"""Messages of one person: the first one starts a flow, the others answer what it asks."""
_WORDS: Final = ("Hola", "Sí", "¿Cuánto tarda?", "No encuentro el documento", "Ahora lo busco")
_local = threading.local()


def answered(hotel: Hotel, *, rate: float, seconds: float) -> list[float]:
    """The seconds from when each webhook was due to its answer: one that had to wait to be sent waited too."""
    bodies = list(_bodies(round(rate * seconds)))
    began = time.perf_counter() + 0.2
    with ThreadPoolExecutor(_CONNECTIONS) as pool:
        waiting = [pool.submit(_send, hotel.webhook, raw, began + at / rate) for at, raw in enumerate(bodies)]
        return [future.result() for future in waiting]


def _bodies(count: int) -> Iterator[bytes]:
    for number in range(count):
        group, place = divmod(number, _EACH * _PEOPLE)
        turn, person = place // _PEOPLE, group * _PEOPLE + place % _PEOPLE
        user = f"3470{person:07d}"
        yield webhooks.webhook(webhooks.text(user, _WORDS[turn], f"wamid.load.{user}.{turn}"), name=f"Persona {person}")


def _send(url: str, raw: bytes, due: float) -> float:
    session: requests.Session | None = getattr(_local, "session", None)
    if session is None:
        session = _local.session = requests.Session()
    time.sleep(max(0.0, due - time.perf_counter()))
    answer = session.post(url, data=raw, headers=webhooks.signed(raw), timeout=30)
    if answer.status_code != 200:
        raise StackError(f"a webhook was answered with {answer.status_code}")
    return time.perf_counter() - due


def percentile(values: Sequence[float], share: float) -> float:
    """The value that `share` of the values do not exceed."""
    ordered = sorted(values)
    return ordered[math.ceil(share * len(ordered)) - 1]
