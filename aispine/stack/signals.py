"""The wish to stop, as signals express it."""

from __future__ import annotations

import contextlib
import signal
from collections.abc import Iterator
from types import FrameType
from typing import Final

RESTART: Final = signal.SIGUSR1
_SIGNALS: Final = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)


class StopRequest:
    """Counts the signals: one asks to stop, a second one asks to hurry."""

    def __init__(self) -> None:
        self._count = 0

    @property
    def made(self) -> bool:
        return self._count > 0

    @property
    def impatient(self) -> bool:
        return self._count > 1

    def __call__(self, _number: int, _frame: FrameType | None) -> None:
        self._count += 1


class RestartRequest:
    """Remembers that somebody asked for a restart, until it is taken."""

    def __init__(self) -> None:
        self.made = False

    def take(self) -> bool:
        """True when there was one; then it is there no more."""
        made, self.made = self.made, False
        return made

    def __call__(self, _number: int, _frame: FrameType | None) -> None:
        self.made = True


@contextlib.contextmanager
def restart_request() -> Iterator[RestartRequest]:
    """Turns the signal `RESTART` into a request, for as long as the block lasts."""
    request = RestartRequest()
    before = signal.signal(RESTART, request)
    try:
        yield request
    finally:
        signal.signal(RESTART, before)


@contextlib.contextmanager
def stop_request() -> Iterator[StopRequest]:
    """Turns the signals that end a program into a request, for as long as the block lasts."""
    request = StopRequest()
    before = {number: signal.signal(number, request) for number in _SIGNALS}
    try:
        yield request
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
