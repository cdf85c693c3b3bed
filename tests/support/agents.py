"""An HTTP agent on loopback that fails as it is told, one instruction per call."""

from __future__ import annotations

import json
import threading
from collections import defaultdict, deque
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any


@dataclass(frozen=True, kw_only=True, slots=True)
class Answer:
    """What the agent answers to one call. `body` as bytes is sent as it is; `hold` waits for `HttpAgent.release`."""

    status: int = 200
    body: Mapping[str, Any] | bytes | None = None
    """None answers a success that returns the input."""
    headers: Mapping[str, str] = field(default_factory=dict)
    hold: bool = False
    hang_up: bool = False
    """Closes the connection without a word."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Call:
    """One question that came in."""

    node_id: str
    body: Mapping[str, Any]
    headers: Mapping[str, str]


class HttpAgent:
    """The agent: `answers[node_id]` are used up first, then it succeeds. `calls` is what it was asked."""

    def __init__(self, agent_id: str, address: tuple[str, int]) -> None:
        self.agent_id = agent_id
        self.endpoint = f"http://{address[0]}:{address[1]}"
        self.calls: list[Call] = []
        self.answers: defaultdict[str, deque[Answer]] = defaultdict(deque)
        self._released = threading.Event()

    def will(self, node_id: str, *answers: Answer) -> None:
        """Says how the next calls for a node are answered."""
        self.answers[node_id].extend(answers)

    def release(self) -> None:
        """Lets every held call be answered, now and later."""
        self._released.set()

    def of(self, node_id: str) -> list[Call]:
        return [call for call in self.calls if call.node_id == node_id]

    def health(self) -> dict[str, Any]:
        return {"agent_id": self.agent_id, "version": "1.0.0", "capabilities": ["testing"], "ready": True}

    def answer(self, call: Call) -> Answer:
        self.calls.append(call)
        given = self.answers[call.node_id]
        answer = given.popleft() if given else Answer()
        if answer.hold:
            self._released.wait(60)
        return answer


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server: _Server

    def do_GET(self) -> None:
        self._send(200, json.dumps(self.server.agent.health()).encode(), {})

    def do_POST(self) -> None:
        body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        answer = self.server.agent.answer(Call(node_id=body["node_id"], body=body, headers=dict(self.headers)))
        if answer.hang_up:
            self.close_connection = True
            return
        content = answer.body if isinstance(answer.body, bytes) else json.dumps(answer.body or _success(body)).encode()
        try:
            self._send(answer.status, content, answer.headers)
        except OSError:  # The caller's patience was over, which is what a test of timeouts wants.
            self.close_connection = True

    def log_message(self, *arguments: Any) -> None:
        """Says nothing: the tests look at the calls."""

    def _send(self, status: int, content: bytes, headers: Mapping[str, str]) -> None:
        self.send_response(status)
        for name, value in {"Content-Type": "application/json", "Content-Length": len(content), **headers}.items():
            self.send_header(name, str(value))
        self.end_headers()
        self.wfile.write(content)


def _success(body: Mapping[str, Any]) -> dict[str, Any]:
    return {"status": "success", "output": {"data": body["input"]}, "execution_id": body["execution_id"]}


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    request_queue_size = 128

    def __init__(self, agent_id: str) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.agent = HttpAgent(agent_id, ("127.0.0.1", self.server_address[1]))


@contextmanager
def serving(agent_id: str) -> Iterator[HttpAgent]:
    """Serves an agent on a port of its own."""
    server = _Server(agent_id)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True)
    thread.start()
    try:
        yield server.agent
    finally:
        server.agent.release()
        server.shutdown()
        server.server_close()
        thread.join()
