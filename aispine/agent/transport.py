"""The one way out to an agent: every connection is opened here, and every call ends at its deadline.

A socket's own timeout starts anew with each byte, so a server that drips bytes would hold a call for ever. Here one
thread per process shuts a call's socket down when its time is over or when it is cancelled, wherever the call waits.
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
from typing import Any, Final

import requests
from requests.adapters import HTTPAdapter
from urllib3 import HTTPConnectionPool, HTTPSConnectionPool
from urllib3.connection import HTTPConnection, HTTPSConnection
from urllib3.exceptions import ConnectTimeoutError, NameResolutionError, NewConnectionError

from aispine.agent import deadline

POOL_HOSTS: Final = 16
LEAST_SWEPT: Final = 256


@dataclass(eq=False, slots=True)
class Call:
    """One call on its way. `deadline` on the monotonic clock; `overdue` and `cancelled` tell why it was cut."""

    deadline: float
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
def calling(seconds: float, key: str | None = None) -> Iterator[Call]:
    """Everything sent by this thread inside belongs to one call that ends after `seconds`."""
    call = Call(deadline=time.monotonic() + seconds, key=key)
    _local.call = call
    if key is not None:
        _calls[key] = call
    _reaper().watch(call)
    try:
        yield call
    finally:
        call.finish()
        _local.call = None
        if key is not None:
            _calls.pop(key, None)


def cancel(key: str) -> bool:
    """Cuts the call of that key, if this process has one under way."""
    call = _calls.get(key)
    if call is None:
        return False
    call.cut(cancelled=True)
    return True


def session() -> requests.Session:
    """This thread's session; its connections are kept alive between calls."""
    found: requests.Session | None = getattr(_local, "session", None)
    if found is None or _local.pid != os.getpid():
        found = _local.session = _new_session()
        _local.pid = os.getpid()
    return found


def _new_session() -> requests.Session:
    made = requests.Session()
    # A .netrc entry would replace the agent's key, and a proxy variable would send it elsewhere.
    made.trust_env = False
    adapter = _Adapter(pool_connections=POOL_HOSTS, pool_maxsize=1, max_retries=0)
    made.mount("http://", adapter)
    made.mount("https://", adapter)
    return made


class _Watched:
    """Opens its socket by `connect` and tells the call of this thread which socket it uses."""

    def _new_conn(self) -> socket.socket:
        return connect(self, _local.call)

    def request(self, *args: Any, **kwargs: Any) -> None:
        kept: socket.socket | None = getattr(self, "sock", None)
        if kept is not None:
            _local.call.use(kept, reused=True)
        super().request(*args, **kwargs)  # type: ignore[misc]  # urllib3's connection comes next in the order of bases

    def connect(self) -> None:
        super().connect()  # type: ignore[misc]  # as above
        _local.call.use(getattr(self, "sock"))  # noqa: B009 - the attribute belongs to the other base


class _PlainConnection(_Watched, HTTPConnection):
    pass


class _SecureConnection(_Watched, HTTPSConnection):
    pass


class _PlainPool(HTTPConnectionPool):
    ConnectionCls = _PlainConnection


class _SecurePool(HTTPSConnectionPool):
    ConnectionCls = _SecureConnection


class _Adapter(HTTPAdapter):
    def init_poolmanager(self, *args: Any, **kwargs: Any) -> None:
        super().init_poolmanager(*args, **kwargs)
        self.poolmanager.pool_classes_by_scheme = {"http": _PlainPool, "https": _SecurePool}


def connect(connection: Any, call: Call) -> socket.socket:
    """Opens a connection within the call's time, trying each address of the host in turn.

    The seam for rules on where calls may go: `address` below is the very one that is connected to.
    """
    last: OSError | None = None
    for family, kind, protocol, _, address in _addresses(connection, call):
        opened = socket.socket(family, kind, protocol)
        try:
            opened.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            opened.settimeout(call.remaining)
            call.use(opened)
            opened.connect(address)
        except OSError as error:
            opened.close()
            last = error
        else:
            return opened
    if isinstance(last, TimeoutError):
        raise ConnectTimeoutError(connection, "no connection in time") from last
    raise NewConnectionError(connection, str(last)) from last


def _addresses(connection: Any, call: Call) -> list[Any]:
    """Resolves the name aside: the system's resolver takes its own time and cannot be interrupted."""
    host, port = connection._dns_host, connection.port  # noqa: SLF001 - urllib3 keeps the name as given only there
    try:
        return deadline.run_aside(lambda: socket.getaddrinfo(host, port, type=socket.SOCK_STREAM), call.remaining)
    except deadline.Overdue:
        raise ConnectTimeoutError(connection, "the name was not resolved in time") from None
    except (socket.gaierror, UnicodeError) as error:
        reason = error if isinstance(error, socket.gaierror) else socket.gaierror(str(error))
        raise NameResolutionError(connection.host, connection, reason) from error


class _Reaper:
    """One thread that cuts each call at its deadline."""

    def __init__(self) -> None:
        self.pid = os.getpid()
        self._heap: list[tuple[float, int, Call]] = []
        self._most = LEAST_SWEPT
        self._order = itertools.count()
        self._changed = threading.Condition()
        threading.Thread(target=self._work, name="agent-deadlines", daemon=True).start()

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
