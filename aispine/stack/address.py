"""Where the web process listens and how it is asked for its health."""

from __future__ import annotations

import errno
import json
import socket
from dataclasses import dataclass
from typing import Any, Final
from urllib.parse import urlsplit

from aispine.errors import StackError

_EVERYWHERE: Final = {"0.0.0.0": "127.0.0.1", "::": "::1", "": "127.0.0.1"}  # noqa: S104 - read, not bound.
_LOCAL: Final = frozenset({"127.0.0.1", "::1", "localhost"})
_LARGEST_ANSWER: Final = 65536
_BACKLOG: Final = 2048
"""Connections that may wait while nobody answers."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Address:
    host: str
    port: int

    @classmethod
    def of(cls, url: str) -> Address:
        parts = urlsplit(url)
        return cls(host=parts.hostname or "127.0.0.1", port=parts.port or 80)

    @property
    def reachable(self) -> str:
        """The host that a client on this machine connects to."""
        return _EVERYWHERE.get(self.host, self.host)

    @property
    def is_local(self) -> bool:
        """True when nobody but this machine can get in."""
        return self.host in _LOCAL

    @property
    def url(self) -> str:
        host = f"[{self.reachable}]" if ":" in self.reachable else self.reachable
        return f"http://{host}:{self.port}"

    def check_free(self) -> None:
        """Raises `StackError` naming the port when somebody listens on it, or it cannot be used."""
        self.listen().close()

    def listen(self) -> socket.socket:
        """A socket that listens here, to be handed to whoever answers. Raises `StackError` as `check_free` does."""
        try:
            family, kind, _, _, where = socket.getaddrinfo(self.host or None, self.port, type=socket.SOCK_STREAM)[0]
            made = socket.socket(family, kind)
            try:
                made.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
                made.bind(where)
                made.listen(_BACKLOG)
            except OSError:
                made.close()
                raise
        except OSError as error:
            raise self._unusable(error) from error
        return made

    def _unusable(self, error: OSError) -> StackError:
        if error.errno == errno.EADDRINUSE:
            return StackError(
                f"port {self.port} on {self.host} is taken by {self._holder()}",
                field="port",
                hint=f"Stop it, or choose another port: aispine up --port {self.port + 1}",
            )
        hint = "Choose another one with --port or --host."
        return StackError(f"cannot listen on {self.host}:{self.port}: {error.strerror}", field="port", hint=hint)

    def _holder(self) -> str:
        found = health(self) or {}
        ours = "uptime_seconds" in found and "version" in found
        return f"another AI Spine ({found['version']}), of another home or user" if ours else "another program"


def health(address: Address, seconds: float = 2.0) -> dict[str, Any] | None:
    """What GET /health answers, None unless it is 200 and an object."""
    return ask(address, "/health", seconds=seconds)


def ask(address: Address, path: str, *, api_key: str | None = None, seconds: float = 2.0) -> dict[str, Any] | None:
    """What GET answers at a path of the web process, None unless it is 200 and an object."""
    lines = [f"GET {path} HTTP/1.0", f"Host: {address.reachable}"]
    lines += [f"Authorization: Bearer {api_key}"] if api_key else []
    try:
        with socket.create_connection((address.reachable, address.port), timeout=seconds) as connection:
            connection.sendall(("\r\n".join(lines) + "\r\n\r\n").encode())
            head, _, body = _receive(connection).partition(b"\r\n\r\n")
        values = json.loads(body) if head.split(b" ", 2)[1:2] == [b"200"] else None
    except (OSError, ValueError):
        return None
    return values if isinstance(values, dict) else None


def _receive(connection: socket.socket) -> bytes:
    answer = b""
    while len(answer) < _LARGEST_ANSWER and (part := connection.recv(8192)):
        answer += part
    return answer
