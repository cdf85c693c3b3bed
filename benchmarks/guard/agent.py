"""An agent over HTTP in a process of its own, as lean as it can be, which notes when it was asked what."""

from __future__ import annotations

import json
import socket
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from multiprocessing import get_context
from multiprocessing.connection import Connection
from typing import Any

Seen = list[tuple[float, Any, int]]
"""Seconds since 1970, the input, and how many were under way then with it, of each question."""


class Agent:
    """The agent as its user sees it."""

    def __init__(self, port: int, pipe: Connection) -> None:
        self.url = f"http://127.0.0.1:{port}"
        self._pipe = pipe

    def seen(self) -> Seen:
        """What was asked so far, in the order in which it came."""
        self._pipe.send("seen")
        found: Seen = self._pipe.recv()
        return found


@contextmanager
def serving(agent_id: str, seconds: float = 0.0, **limits: Any) -> Iterator[Agent]:
    """Serves an agent until the end, which says of itself that it has these limits; a call takes so long."""
    ours, theirs = (context := get_context("spawn")).Pipe()
    process = context.Process(target=_serve, args=(agent_id, seconds, limits, theirs), daemon=True)
    process.start()
    theirs.close()  # So that nobody waits for what a process says that did not start.
    try:
        yield Agent(ours.recv(), ours)
    finally:
        process.kill()
        process.join()


def _serve(agent_id: str, seconds: float, limits: dict[str, Any], pipe: Connection) -> None:
    sys.setswitchinterval(0.001)
    health = {
        "agent_id": agent_id,
        "version": "1.0.0",
        "capabilities": [],
        "ready": True,
        **limits,
    }
    desk = _Desk(seconds)
    listener = socket.create_server(("127.0.0.1", 0), backlog=512)
    threading.Thread(target=_accept, args=(listener, _answer(health), desk), daemon=True).start()
    pipe.send(listener.getsockname()[1])
    while pipe.recv() == "seen":
        pipe.send(list(desk.seen))


def _accept(listener: socket.socket, health: bytes, desk: _Desk) -> None:
    while True:
        connection, _ = listener.accept()
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        threading.Thread(target=_talk, args=(connection, health, desk), daemon=True).start()


def _talk(connection: socket.socket, health: bytes, desk: _Desk) -> None:
    data = b""
    with connection:
        while True:
            while b"\r\n\r\n" not in data:
                data += (got := connection.recv(65536))
                if not got:
                    return
            head, _, data = data.partition(b"\r\n\r\n")
            length = _length(head)
            while len(data) < length:
                data += connection.recv(65536)
            body, data = data[:length], data[length:]
            connection.sendall(health if head.startswith(b"GET") else desk.reply(body))


def _length(head: bytes) -> int:
    lines = (line.partition(b":") for line in head.split(b"\r\n"))
    return next((int(value) for name, _, value in lines if name.lower() == b"content-length"), 0)


class _Desk:
    """What is asked, and how much of it at once."""

    def __init__(self, seconds: float) -> None:
        self.seen: Seen = []
        self._seconds = seconds
        self._under_way = 0
        self._lock = threading.Lock()

    def reply(self, body: bytes) -> bytes:
        asked = json.loads(body)
        with self._lock:
            self._under_way += 1
            self.seen.append((time.time(), asked["input"], self._under_way))
        time.sleep(self._seconds)
        with self._lock:
            self._under_way -= 1
        return _success(asked)


def _success(asked: dict[str, Any]) -> bytes:
    return _answer({"status": "success", "output": {"data": {}}, "execution_id": asked["execution_id"]})


def _answer(value: Any) -> bytes:
    body = json.dumps(value).encode()
    return b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: %d\r\n\r\n%s" % (len(body), body)
