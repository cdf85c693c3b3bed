"""A server in place of the API: it answers what a test tells it to and remembers what it was asked."""

from __future__ import annotations

import json
import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any


@dataclass(frozen=True, kw_only=True, slots=True)
class Request:
    method: str
    path: str
    headers: Mapping[str, str]
    body: bytes


@dataclass(frozen=True, kw_only=True, slots=True)
class Reply:
    """`chunks` are sent one by one as a stream; `broken` ends the stream without its last chunk.

    `beat` goes on after them with keep-alives at this interval in seconds, until the client is gone.
    """

    status: int = 200
    body: bytes = b""
    headers: Mapping[str, str] = field(default_factory=dict)
    chunks: tuple[bytes, ...] | None = None
    broken: bool = False
    beat: float | None = None


Answer = Callable[[Request], Reply]


@dataclass(frozen=True, slots=True)
class Server:
    url: str
    requests: list[Request]


def reply(value: Any, status: int = 200) -> Reply:
    return Reply(status=status, body=json.dumps(value).encode(), headers={"Content-Type": "application/json"})


def problem(status: int, **members: Any) -> Reply:
    body = json.dumps({"status": status, **members}).encode()
    return Reply(status=status, body=body, headers={"Content-Type": "application/problem+json"})


def event(seq: int, kind: str, path: str | None = None, **data: Any) -> bytes:
    body = {"seq": seq, "type": kind, "path": path, "data": data, "created_at": f"2026-01-01T00:00:{seq:02d}Z"}
    return f"id: {seq}\nevent: {kind}\ndata: {json.dumps(body)}\n\n".encode()


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    asked: list[Request]
    given: Answer

    def handle_any(self) -> None:
        body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        request = Request(method=self.command, path=self.path, headers=dict(self.headers), body=body)
        self.asked.append(request)
        self.answer(type(self).given(request))

    do_GET = do_POST = do_PUT = do_DELETE = handle_any  # noqa: N815 - the names are http.server's.

    def answer(self, given: Reply) -> None:
        self.send_response(given.status)
        for name, value in given.headers.items():
            self.send_header(name, value)
        if given.chunks is None:
            self.send_header("Content-Length", str(len(given.body)))
            self.end_headers()
            self.wfile.write(given.body)
        else:
            self.send_header("Transfer-Encoding", "chunked")
            self.end_headers()
            self.stream(given)

    def stream(self, given: Reply) -> None:
        for chunk in given.chunks or ():
            self.wfile.write(b"%x\r\n%s\r\n" % (len(chunk), chunk))
            self.wfile.flush()
        if given.beat is not None:
            self.keep_alive(given.beat)
        elif not given.broken:
            self.wfile.write(b"0\r\n\r\n")
        self.close_connection = True

    def keep_alive(self, seconds: float) -> None:
        gone = threading.Event()
        while not gone.wait(seconds):
            try:
                self.wfile.write(b"3\r\n:\n\n\r\n")
            except OSError:
                gone.set()

    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002 - the name is http.server's.
        """Says nothing: the tests look at the requests."""


@contextmanager
def serving(answer: Answer) -> Iterator[Server]:
    asked: list[Request] = []
    handler = type("Handler", (_Handler,), {"asked": asked, "given": staticmethod(answer)})
    server = ThreadingHTTPServer(("127.0.0.1", 0), handler)
    server.daemon_threads = True
    thread = threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True)
    thread.start()
    try:
        yield Server(f"http://127.0.0.1:{server.server_address[1]}", asked)
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
