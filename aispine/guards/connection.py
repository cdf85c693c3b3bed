"""Connections: opened to the very address that was checked, kept between calls, watched by the call that uses them."""

from __future__ import annotations

import functools
import os
import socket
import threading
from http.cookiejar import DefaultCookiePolicy
from typing import Any, Final

import requests
from requests.adapters import HTTPAdapter
from urllib3 import HTTPConnectionPool, HTTPSConnectionPool
from urllib3.connection import HTTPConnection, HTTPSConnection
from urllib3.exceptions import ConnectTimeoutError, NameResolutionError, NewConnectionError

from aispine.guards import calls, traffic
from aispine.guards.aside import Overdue, run_aside
from aispine.guards.calls import Call
from aispine.guards.failures import Refused

POOL_HOSTS: Final = 64
"""Of how many hosts connections are kept."""
POOL_SIZE: Final = 512
"""How many connections to one host are kept, which is as many calls as a process is expected to have under way."""
_making = threading.Lock()


def session() -> requests.Session:
    """The session of this process, for all of its threads; a connection that a call is done with serves the next one.

    Threads that kept connections of their own would leave most of them idle until their servers close them.
    """
    with _making:
        return _session(os.getpid())


@functools.lru_cache(maxsize=1)
def _session(_pid: int) -> requests.Session:
    return _new_session()


def _new_session() -> requests.Session:
    made = requests.Session()
    # A .netrc entry would replace the caller's key, and a proxy variable would send it elsewhere.
    made.trust_env = False
    # Answers of one tenant's agent must not set cookies for another's.
    made.cookies.set_policy(DefaultCookiePolicy(allowed_domains=()))
    adapter = _Adapter(pool_connections=POOL_HOSTS, pool_maxsize=POOL_SIZE, max_retries=0)
    made.mount("http://", adapter)
    made.mount("https://", adapter)
    return made


class _Watched:
    """Opens its socket by `_connect` and tells the call of this thread which socket it uses."""

    host: str
    _user: Call | None = None
    """The call that used it last."""

    def _new_conn(self) -> socket.socket:
        return _connect(self, calls.current())

    def request(self, *args: Any, **kwargs: Any) -> None:
        kept: socket.socket | None = getattr(self, "sock", None)
        if kept is not None:
            self._reuse(kept, calls.current())
        super().request(*args, **kwargs)  # type: ignore[misc]  # urllib3's connection comes next in the order of bases
        traffic.sent(len(kwargs.get("body") or b""))

    def _reuse(self, kept: socket.socket, call: Call) -> None:
        """Checks a connection that an earlier call left open, which may have been under another guard."""
        try:
            told = kept.getpeername()[0]
        except OSError:
            told = None  # It broke meanwhile, and sending on it says so.
        if told is not None:
            call.guard.check(_host(self), told)
        if self._user is not None:
            # It has read its answer and may not have said so yet; its end is no longer this connection's.
            self._user.leave(kept)
        self._user = call
        call.use(kept, reused=True)

    def connect(self) -> None:
        super().connect()  # type: ignore[misc]  # as above
        self._user = calls.current()
        self._user.use(getattr(self, "sock"))  # noqa: B009 - the attribute belongs to the other base


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


def _host(connection: Any) -> str:
    """The name as it was given, which urllib3 keeps only there."""
    host: str = connection._dns_host  # noqa: SLF001
    return host


def _connect(connection: Any, call: Call) -> socket.socket:
    """Opens a connection within the call's time, trying each address of the host that the guard lets through.

    The name is resolved once, and what is connected to is what was checked: another answer of the name's server
    between the two changes nothing.
    """
    last: Exception | None = None
    for family, kind, protocol, _, place in _addresses(connection, call):
        try:
            call.guard.check(_host(connection), place[0])
            return _opened((family, kind, protocol), place, call)
        except Refused as error:
            last = last or error
        except OSError as error:
            last = error
    if isinstance(last, Refused):
        raise last
    if isinstance(last, TimeoutError):
        raise ConnectTimeoutError(connection, "no connection in time") from last
    raise NewConnectionError(connection, str(last)) from last


def _opened(kind: tuple[int, int, int], place: Any, call: Call) -> socket.socket:
    opened = socket.socket(*kind)
    try:
        opened.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        opened.settimeout(call.remaining)
        call.use(opened)
        opened.connect(place)
    except OSError:
        opened.close()
        raise
    return opened


def _addresses(connection: Any, call: Call) -> list[Any]:
    """Resolves the name aside: the system's resolver takes its own time and cannot be interrupted."""
    host, port = _host(connection), connection.port
    try:
        return run_aside(lambda: socket.getaddrinfo(host, port, type=socket.SOCK_STREAM), call.remaining)
    except Overdue:
        raise ConnectTimeoutError(connection, "the name was not resolved in time") from None
    except (socket.gaierror, UnicodeError) as error:
        reason = error if isinstance(error, socket.gaierror) else socket.gaierror(str(error))
        raise NameResolutionError(connection.host, connection, reason) from error
