"""A model played over HTTP: it says what it is told to, and refuses what no provider would take.

Samples and tests of `llm` agents run against it, so that they need no key, no money and no internet.
"""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, Final

from aispine.model import protocol
from aispine.model.stream import guess

PATH: Final = "/v1/chat/completions"


@dataclass(frozen=True, kw_only=True, slots=True)
class Line:
    """One answer. With a `status` it is a refusal; `break_off` ends a stream in its middle; `pace` in seconds."""

    text: str = ""
    tool_calls: tuple[Mapping[str, Any], ...] = ()
    refusal: str | None = None
    finish: str | None = None
    usage: Mapping[str, Any] | None = None
    status: int = 200
    error: Mapping[str, Any] = field(default_factory=dict)
    headers: Mapping[str, str] = field(default_factory=dict)
    break_off: bool = False
    silent_usage: bool = False
    """Tells no usage, as some servers do."""
    pace: float = 0.0
    """The pause before each piece of a stream."""

    @property
    def ending(self) -> str:
        return self.finish or ("tool_calls" if self.tool_calls else "stop")


@dataclass(frozen=True, kw_only=True, slots=True)
class Asked:
    """One request that came in; `problem` is what was wrong with it."""

    body: Mapping[str, Any]
    headers: Mapping[str, str]
    problem: str | None = None

    @property
    def said(self) -> list[tuple[str, Any]]:
        """The messages as pairs of role and text."""
        return [(message["role"], message.get("content")) for message in self.body["messages"]]


class StandIn:
    """The played model: `lines` are said one after the other, and what comes after the last is refused."""

    def __init__(self, url: str, lines: Iterable[Line]) -> None:
        self.url = url
        self.asked: list[Asked] = []
        self.deserted = 0
        """How many streams lost who had asked before their end."""
        self._lines = list(lines)
        self._lock = threading.Lock()

    def says(self, *lines: Line) -> None:
        """Adds what is said next."""
        self._lines.extend(lines)

    @property
    def left(self) -> int:
        """How many lines nobody has asked for."""
        return len(self._lines)

    def answer(self, body: Any, headers: Mapping[str, str]) -> Line:
        """What is said to a request."""
        problem = protocol.problem(body)
        with self._lock:
            self.asked.append(Asked(body=body if isinstance(body, Mapping) else {}, headers=headers, problem=problem))
            if problem is not None:
                return Line(status=400, error={"message": problem, "type": "invalid_request_error"})
            if not self._lines:
                return Line(status=500, error={"message": "the stand-in has nothing more to say"})
            return self._lines.pop(0)


@contextmanager
def playing(lines: Iterable[Line] = ()) -> Iterator[StandIn]:
    """Plays a model on a port of its own; its `url` is the `base_url` of a model."""
    server = _Server(lines)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)
    thread.start()
    try:
        yield server.model
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


class _Server(ThreadingHTTPServer):
    daemon_threads = True

    def __init__(self, lines: Iterable[Line]) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.model = StandIn(f"http://127.0.0.1:{self.server_address[1]}/v1", lines)


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server: _Server

    def do_POST(self) -> None:
        content = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        if self.path != PATH:
            self._send(404, {"error": {"message": f"there is no {self.path[:100]}"}}, {})
            return
        body = _parsed(content)
        line = self.server.model.answer(body, {name.lower(): value for name, value in self.headers.items()})
        if line.status != 200:
            self._send(line.status, {"error": {"message": "refused", **line.error}}, line.headers)
        elif body.get("stream"):
            self._stream(line, body)
        else:
            self._send(200, whole(line, body), line.headers)

    def _stream(self, line: Line, body: Mapping[str, Any]) -> None:
        self.send_response(200)
        self.send_header("Content-Type", "text/event-stream")
        self.send_header("Connection", "close")
        self.end_headers()
        self.close_connection = True
        try:
            for chunk in chunks(line, body):
                time.sleep(line.pace)
                self.wfile.write(f"data: {json.dumps(chunk)}\n\n".encode())
                self.wfile.flush()
            if not line.break_off:
                self.wfile.write(b"data: [DONE]\n\n")
        except OSError:  # Who asked has gone, as one does whose time is over.
            self.server.model.deserted += 1

    def log_message(self, *arguments: Any) -> None:
        """Says nothing: whoever plays the model looks at what was asked."""

    def _send(self, status: int, body: Any, headers: Mapping[str, str]) -> None:
        content = json.dumps(body).encode()
        self.send_response(status)
        for name, value in {"Content-Type": "application/json", **headers}.items():
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        self.wfile.write(content)


def _parsed(content: bytes) -> Any:
    try:
        return json.loads(content)
    except ValueError:
        return None


def whole(line: Line, body: Mapping[str, Any]) -> dict[str, Any]:
    """An answer in one piece."""
    message: dict[str, Any] = {"role": "assistant", "content": line.text or None, "refusal": line.refusal}
    if line.tool_calls:
        message["tool_calls"] = [_call(index, call) for index, call in enumerate(line.tool_calls)]
    choice = {"index": 0, "message": message, "finish_reason": line.ending}
    told = {} if line.silent_usage else {"usage": usage(line, body)}
    return {"id": "chatcmpl-1", "object": "chat.completion", "model": body["model"], "choices": [choice], **told}


def chunks(line: Line, body: Mapping[str, Any]) -> Iterator[dict[str, Any]]:
    """The pieces of a streamed answer."""
    yield _chunk(body, {"role": "assistant", "content": ""})
    pieces = _pieces(line.text)
    for place, piece in enumerate(pieces):
        if line.break_off and place >= len(pieces) // 2:
            return
        yield _chunk(body, {"content": piece})
    if line.refusal:
        yield _chunk(body, {"refusal": line.refusal})
    for index, call in enumerate(line.tool_calls):
        made = _call(index, call)
        arguments = made["function"]["arguments"]
        half = len(arguments) // 2
        begun = {**made["function"], "arguments": arguments[:half]}
        yield _chunk(body, {"tool_calls": [{**made, "index": index, "function": begun}]})
        yield _chunk(body, {"tool_calls": [{"index": index, "function": {"arguments": arguments[half:]}}]})
    if line.break_off:
        return
    yield _chunk(body, {}, line.ending)
    if (body.get("stream_options") or {}).get("include_usage") and not line.silent_usage:
        yield {"id": "chatcmpl-1", "object": "chat.completion.chunk", "choices": [], "usage": usage(line, body)}


def usage(line: Line, body: Mapping[str, Any]) -> dict[str, Any]:
    """The tokens that an answer took: as the line says, else about what they would be."""
    prompt, completion = guess(len(json.dumps(body["messages"]))), guess(len(line.text) + len(str(line.tool_calls)))
    told = {"prompt_tokens": prompt, "completion_tokens": completion, **(line.usage or {})}
    return {**told, "total_tokens": told["prompt_tokens"] + told["completion_tokens"]}


def _chunk(body: Mapping[str, Any], delta: Mapping[str, Any], finish: str | None = None) -> dict[str, Any]:
    choice = {"index": 0, "delta": delta, "finish_reason": finish}
    return {"id": "chatcmpl-1", "object": "chat.completion.chunk", "model": body["model"], "choices": [choice]}


def _call(index: int, call: Mapping[str, Any]) -> dict[str, Any]:
    arguments = call.get("arguments", {})
    text = arguments if isinstance(arguments, str) else json.dumps(arguments)
    function = {"name": call["name"], "arguments": text}
    return {"id": f"call_{call['name']}_{index}", "type": "function", "function": function}


def _pieces(text: str) -> list[str]:
    """A text as models write it: about a word at a time."""
    words = text.split(" ")
    return [word if place == 0 else f" {word}" for place, word in enumerate(words)] if text else []
