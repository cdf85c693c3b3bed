"""Calls under way: each ends at its deadline, wherever it waits, and can be cut from another thread.

A socket's own timeout starts anew with each byte, so a server that drips bytes would hold a call for ever. Here one
thread per process shuts a call's socket down when its time is over or when it is cancelled.
"""

from __future__ import annotations

import contextlib
import heapq
import itertools
import os
import socket
import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Final

from aispine.guards.rules import Guard

LEAST_SWEPT: Final = 256


@dataclass(eq=False, slots=True)
class Call:
    """One call on its way. `deadline` on the monotonic clock; `overdue` and `cancelled` tell why it was cut."""

    deadline: float
    guard: Guard
    key: str | None = None
    overdue: bool = False
    cancelled: bool = False
    reused: bool = False
    """True while the call waits on a connection that an earlier call left open."""
    _socket: socket.socket | None = None
    _done: bool = False
    _lock: threading.Lock = field(default_factory=threading.Lock)

    @property
    def remaining(self) -> float:
        """Seconds left; never zero, which a socket takes for "do not wait"."""
        return max(self.deadline - time.monotonic(), 0.001)

    def use(self, connection: socket.socket, *, reused: bool = False) -> None:
        """Tells which socket the call waits on; it is cut at once when the time is over by now."""
        with self._lock:
            self._socket = connection
            self.reused = reused
            if self.overdue or self.cancelled:
                _shut(connection)

    def leave(self, connection: socket.socket) -> None:
        """Tells that the socket serves another call from now on."""
        with self._lock:
            if self._socket is connection:
                self._socket = None

    def cut(self, *, cancelled: bool = False) -> None:
        """Ends the call from another thread; harmless when it has ended."""
        with self._lock:
            if not self._done:
                self.overdue, self.cancelled = self.overdue or not cancelled, self.cancelled or cancelled
                _shut(self._socket)

    def finish(self) -> None:
        with self._lock:
            self._done = True
            self._socket = None

    @property
    def done(self) -> bool:
        return self._done


def _shut(connection: socket.socket | None) -> None:
    """Wakes whoever waits on the socket. An SSLSocket's own shutdown would pull its state away under the waiter."""
    if connection is not None:
        with contextlib.suppress(OSError):
            socket.socket.shutdown(connection, socket.SHUT_RDWR)


_local = threading.local()
_calls: dict[str, Call] = {}


@contextlib.contextmanager
def calling(seconds: float, guard: Guard, key: str | None = None) -> Iterator[Call]:
    """Everything sent by this thread inside belongs to one call that ends after `seconds`; calls may be nested."""
    call = Call(deadline=time.monotonic() + seconds, guard=guard, key=key)
    outer, _local.call = getattr(_local, "call", None), call
    if key is not None:
        _calls[key] = call
    _reaper().watch(call)
    try:
        yield call
    finally:
        call.finish()
        _local.call = outer
        if key is not None:
            _calls.pop(key, None)


def cancel(key: str) -> bool:
    """Cuts the call of that key, if this process has one under way."""
    call = _calls.get(key)
    if call is None:
        return False
    call.cut(cancelled=True)
    return True


def current() -> Call:
    """The call of this thread."""
    call: Call = _local.call
    return call


class _Reaper:
    """One thread that cuts each call at its deadline."""

    def __init__(self) -> None:
        self.pid = os.getpid()
        self._heap: list[tuple[float, int, Call]] = []
        self._most = LEAST_SWEPT
        self._order = itertools.count()
        self._changed = threading.Condition()
        threading.Thread(target=self._work, name="call-deadlines", daemon=True).start()

    def watch(self, call: Call) -> None:
        with self._changed:
            self._sweep()
            heapq.heappush(self._heap, (call.deadline, next(self._order), call))
            if self._heap[0][2] is call:
                self._changed.notify()

    def _sweep(self) -> None:
        """Drops calls that ended well before their deadline, once they may be the greater part."""
        if len(self._heap) >= self._most:
            self._heap = [entry for entry in self._heap if not entry[2].done]
            heapq.heapify(self._heap)
            self._most = max(2 * len(self._heap), LEAST_SWEPT)

    def _work(self) -> None:
        while True:
            call = self._next_due()
            if call is not None:
                call.cut()

    def _next_due(self) -> Call | None:
        """Waits for the nearest deadline; None when something changed meanwhile."""
        with self._changed:
            wait = self._heap[0][0] - time.monotonic() if self._heap else None
            if wait is None or wait > 0:
                self._changed.wait(wait)
                return None
            return heapq.heappop(self._heap)[2]


_the_reaper: _Reaper | None = None
_making = threading.Lock()


def _reaper() -> _Reaper:
    """The process's reaper; a forked child makes its own, since threads do not survive a fork."""
    global _the_reaper
    with _making:
        if _the_reaper is None or _the_reaper.pid != os.getpid():
            _the_reaper = _Reaper()
        return _the_reaper
