"""A service over HTTP on loopback that answers as it is told, path by path, and keeps what it was asked."""

from __future__ import annotations

import json
import threading
from collections import defaultdict, deque
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, urlsplit


@dataclass(frozen=True, kw_only=True, slots=True)
class Reply:
    """An answer; a `body` that is no bytes is sent as JSON, None as nothing."""

    status: int = 200
    body: Any = None
    headers: Mapping[str, str] = field(default_factory=dict)

    def content(self) -> bytes:
        if self.body is None:
            return b""
        return self.body if isinstance(self.body, bytes) else json.dumps(self.body).encode()


@dataclass(frozen=True, kw_only=True, slots=True)
class Asked:
    """One request that came in; `headers` by their names in small letters."""

    method: str
    path: str
    query: Mapping[str, list[str]]
    headers: Mapping[str, str]
    body: bytes

    @property
    def json(self) -> Any:
        return json.loads(self.body)

    @property
    def form(self) -> dict[str, str]:
        return {name: values[0] for name, values in parse_qs(self.body.decode()).items()}


Behaviour = Reply | Callable[[Asked], Reply]


class Service:
    """The service: replies to a path are used up first to last, and the last one goes on."""

    def __init__(self, url: str) -> None:
        self.url = url
        self.asked: list[Asked] = []
        self._replies: defaultdict[tuple[str, str], deque[Behaviour]] = defaultdict(deque)

    def on(self, method: str, path: str, *replies: Behaviour) -> None:
        self._replies[method, path] = deque(replies)

    def of(self, path: str) -> list[Asked]:
        return [asked for asked in self.asked if asked.path == path]

    def reply(self, asked: Asked) -> Reply:
        self.asked.append(asked)
        replies = self._replies[asked.method, asked.path]
        if not replies:
            return Reply(status=404, body={"message": f"no {asked.method} {asked.path}"})
        found = replies.popleft() if len(replies) > 1 else replies[0]
        return found if isinstance(found, Reply) else found(asked)


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    wbufsize = -1
    server: _Server

    def _serve(self) -> None:
        parts = urlsplit(self.path)
        body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        asked = Asked(
            method=self.command,
            path=parts.path,
            query=parse_qs(parts.query, keep_blank_values=True),
            headers={name.lower(): value for name, value in self.headers.items()},
            body=body,
        )
        self._send(self.server.service.reply(asked))

    do_GET = do_POST = do_PUT = do_PATCH = do_DELETE = _serve  # noqa: N815 - the names are the library's

    def log_message(self, *arguments: Any) -> None:
        """Says nothing: the tests look at what was asked."""

    def _send(self, reply: Reply) -> None:
        content = reply.content()
        self.send_response(reply.status)
        for name, value in {"Content-Type": "application/json", **reply.headers}.items():
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        self.wfile.write(content)


class _Server(ThreadingHTTPServer):
    daemon_threads = True

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.service = Service(f"http://127.0.0.1:{self.server_address[1]}")


@contextmanager
def serving() -> Iterator[Service]:
    """Serves on a port of its own."""
    server = _Server()
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)
    thread.start()
    try:
        yield server.service
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
