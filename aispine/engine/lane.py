"""The nodes of a lane that one worker has claimed together, shared with the watchdog that looks after them."""

from __future__ import annotations

import threading
import time
from collections import deque
from collections.abc import Sequence

from aispine.engine.advance import Held
from aispine.engine.facts import ChildStarted, Finished, Released

Told = Finished | ChildStarted | Released
"""What can become of a claimed node."""


class Batch:
    """Which nodes have not begun, and which have ended and are not recorded; safe between two threads."""

    def __init__(self, held: Sequence[Held]) -> None:
        self._unbegun = deque(held)
        self._ended: list[Told] = []
        self._since = 0.0
        self._lock = threading.Lock()

    def next(self) -> Held | None:
        """The node to run next; whoever gets it has to run it."""
        with self._lock:
            return self._unbegun.popleft() if self._unbegun else None

    def end(self, fact: Told) -> None:
        """Notes what came of a node."""
        with self._lock:
            if not self._ended:
                self._since = time.monotonic()
            self._ended.append(fact)

    def ended(self, *, after: float) -> list[Told]:
        """What is to be recorded, once the oldest of it is `after` seconds old; the last ends go with `give_back`."""
        with self._lock:
            if not self._unbegun or not self._ended or time.monotonic() - self._since < after:
                return []
            return self._take_ended()

    def give_back(self) -> list[Told]:
        """What is to be recorded, and that the nodes which have not begun are free again."""
        with self._lock:
            free = [Released(path=held.node.path, attempt=held.node.attempt) for held in self._unbegun]
            self._unbegun.clear()
            return [*self._take_ended(), *free]

    def _take_ended(self) -> list[Told]:
        ended, self._ended = self._ended, []
        return ended
