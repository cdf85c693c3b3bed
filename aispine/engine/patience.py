"""Waiting for PostgreSQL instead of losing what a worker has to tell it."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any, Final, TypeVar

from aispine import logs
from aispine.errors import StoreUnavailable

_log = logs.get(__name__)
Found = TypeVar("Found")
LONGEST: Final = 60.0
"""Seconds after which a worker gives up: what it has is fenced off by then, and its process is needed."""
_FIRST: Final = 0.05
_CEILING: Final = 0.5


def patiently(ask: Callable[..., Found], *arguments: Any, **options: Any) -> Found:
    """Asks again while PostgreSQL does not answer; safe for whatever may be done twice.

    Raises `StoreUnavailable` when it stays away.
    """
    deadline, delay = time.monotonic() + LONGEST, _FIRST
    while True:
        try:
            return ask(*arguments, **options)
        except StoreUnavailable as error:
            if time.monotonic() + delay > deadline:
                raise
            if delay == _FIRST:
                _log.warning("store.awaited", error=error.message, seconds=LONGEST)
        time.sleep(delay)
        delay = min(2 * delay, _CEILING)
