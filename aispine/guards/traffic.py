"""What calls send and receive, counted for whoever asked for it: bytes of bodies, unpacked, and the host."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass
from typing import Final
from urllib.parse import urlsplit


@dataclass(slots=True)
class Traffic:
    """`host` is the one that was to be called last, whether it was reached or not; None while there was none."""

    sent: int = 0
    received: int = 0
    host: str | None = None


@contextmanager
def counted() -> Iterator[Traffic]:
    """Counts what this thread sends and receives inside; whoever counts around it counts that too."""
    found = Traffic()
    token = _counting.set((*_counting.get(), found))
    try:
        yield found
    finally:
        _counting.reset(token)


def towards(url: str) -> None:
    """Notes where a request is to go."""
    for found in _counting.get():
        found.host = urlsplit(url).hostname


def sent(size: int) -> None:
    """Notes a body that was sent."""
    for found in _counting.get():
        found.sent += size


def received(size: int) -> None:
    """Notes a part of an answer."""
    for found in _counting.get():
        found.received += size


_counting: Final[ContextVar[tuple[Traffic, ...]]] = ContextVar("traffic", default=())
