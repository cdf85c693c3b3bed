"""What is left of a lane: taken from by the worker that runs it, and handed on by its watchdog."""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Sequence


class Rest:
    """Paths that nobody has claimed yet, in order; safe between two threads."""

    def __init__(self, places: Sequence[str]) -> None:
        self._places = deque(places)
        self._lock = threading.Lock()

    def next(self) -> str | None:
        with self._lock:
            return self._places.popleft() if self._places else None

    def take_all(self) -> list[str]:
        with self._lock:
            places = list(self._places)
            self._places.clear()
        return places
