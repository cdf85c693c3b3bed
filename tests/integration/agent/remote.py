"""An agent over HTTP that misbehaves on command: it speaks bytes, so that it can send what no HTTP library would."""

from __future__ import annotations

import json
import socket
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

Behaviour = Callable[[socket.socket, "Call"], None]
HEALTH = {
    "agent_id": "remote",
    "version": "v1.2.0",
    "capabilities": ["test"],
    "ready": True,
    "endpoint": "http://remote",
    "rate_limit": {"requests_per_minute": 60},
}


class Call:
    """One request as it came."""

    def __init__(self, head: bytes, body: bytes) -> None:
        line, *rest = head.decode("latin-1").split("\r\n")
        self.method, self.path, _ = line.split(" ")
        self.headers = {name.lower(): value for name, value in (row.split(": ", 1) for row in rest)}
        self.body = body

    @property
    def json(self) -> Any:
        return json.loads(self.body)


class RemoteAgent:
    """`behave` is what happens to the next requests; `calls` are those that came, `connections` how many were made."""

    def __init__(self) -> None:
        self.behave: Behaviour = succeed
        self.health: Behaviour = answer(HEALTH)
        self.calls: list[Call] = []
        self.connections = 0
        self.released = threading.Event()
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.url = f"http://127.0.0.1:{self._listener.getsockname()[1]}"
        threading.Thread(target=self._accept, daemon=True).start()

    def close(self) -> None:
        self.released.set()
        self._listener.close()

    def _accept(self) -> None:
        while True:
            try:
                connection, _ = self._listener.accept()
            except OSError:
                return
            self.connections += 1
            threading.Thread(target=self._serve, args=(connection,), daemon=True).start()

    def _serve(self, connection: socket.socket) -> None:
        with connection:
            while True:
                try:
                    call = _read(connection)
                    if call is None:
                        return
                    self.calls.append(call)
                    (self.health if call.path.endswith("/health") else self.behave)(connection, call)
                except (OSError, ValueError):
                    return


def _read(connection: socket.socket) -> Call | None:
    data = b""
    while b"\r\n\r\n" not in data:
        data += (got := connection.recv(65536))
        if not got:
            return None
    head, _, body = data.partition(b"\r\n\r\n")
    call = Call(head, b"")
    while len(body) < int(call.headers.get("content-length", 0)):
        body += connection.recv(65536)
    call.body = body
    return call


def head(status: int, length: int | None, content_type: str | None = "application/json", **headers: str) -> bytes:
    lines = [f"HTTP/1.1 {status} Whatever"]
    lines += [f"Content-Length: {length}"] if length is not None else []
    lines += [f"Content-Type: {content_type}"] if content_type else []
    lines += [f"{name.replace('_', '-')}: {value}" for name, value in headers.items()]
    return "\r\n".join(lines).encode() + b"\r\n\r\n"


def answer(body: Any, status: int = 200, content_type: str | None = "application/json", **headers: str) -> Behaviour:
    content = body if isinstance(body, bytes) else json.dumps(body).encode()

    def behave(connection: socket.socket, _call: Call) -> None:
        connection.sendall(head(status, len(content), content_type, **headers) + content)

    return behave


def pieces(*parts: bytes, close: bool = False) -> Behaviour:
    """Sends these very bytes, and hangs up after them if told so."""

    def behave(connection: socket.socket, _call: Call) -> None:
        for part in parts:
            connection.sendall(part)
        if close:
            connection.shutdown(socket.SHUT_RDWR)

    return behave


def succeed(connection: socket.socket, call: Call) -> None:
    reply = {"status": "success", "output": {"data": {"got": call.json["input"]}}, "execution_id": "e1"}
    answer(reply)(connection, call)


def hang(agent: RemoteAgent) -> Behaviour:
    def behave(_connection: socket.socket, _call: Call) -> None:
        agent.released.wait(60)

    return behave


def close(connection: socket.socket, _call: Call) -> None:
    connection.close()


def drip(agent: RemoteAgent, data: bytes, *, start: bytes = b"") -> Behaviour:
    """Sends `start` at once and then a byte each 50 ms, which no timeout between bytes ever notices."""

    def behave(connection: socket.socket, _call: Call) -> None:
        connection.sendall(start)
        for byte in data:
            if agent.released.wait(0.05):
                return
            connection.sendall(bytes([byte]))

    return behave


def pour(size: int, *, announce: bool) -> Behaviour:
    """Sends a body of `size` bytes, as fast as it is taken."""

    def behave(connection: socket.socket, _call: Call) -> None:
        connection.sendall(head(200, size if announce else None, Connection="close"))
        for _ in range(size // 65536):
            connection.sendall(b" " * 65536)
        connection.close()

    return behave


@contextmanager
def remote_agent() -> Iterator[RemoteAgent]:
    agent = RemoteAgent()
    try:
        yield agent
    finally:
        agent.close()


def wait_until(holds: Callable[[], bool], seconds: float = 10) -> None:
    end = time.monotonic() + seconds
    while not holds():
        assert time.monotonic() < end, "not in time"
        time.sleep(0.01)
