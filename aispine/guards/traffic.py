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
    """`host` is the one that was called last; None while nothing was sent."""

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


def sent(url: str, size: int) -> None:
    """Notes a request that was sent."""
    for found in _counting.get():
        found.sent += size
        found.host = urlsplit(url).hostname


def received(size: int) -> None:
    """Notes a part of an answer."""
    for found in _counting.get():
        found.received += size


_counting: Final[ContextVar[tuple[Traffic, ...]]] = ContextVar("traffic", default=())
