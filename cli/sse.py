"""Server-sent events, read as they come and taken up again where the connection broke."""

from __future__ import annotations

import codecs
import http.client
import json
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, Final

import requests
import urllib3

from aispine.errors import Unavailable

SILENCE_SECONDS: Final = 45.0
"""The server sends a comment every 15 s; three of them missed mean that the connection is dead."""
AWAY_SECONDS: Final = 60.0
"""How long a server may stay away before following it is given up."""
RETRY_SECONDS: Final = 1.0
"""The pause before connecting again, when the server asks for no other."""


@dataclass(frozen=True, kw_only=True, slots=True)
class ServerEvent:
    """One event; `data` is parsed JSON."""

    id: str | None
    event: str
    data: Any


Events = Iterator[ServerEvent]
Open = Callable[[str, Mapping[str, str], float], requests.Response]


class Parser:
    """Collects lines into events, as the specification of server-sent events says."""

    def __init__(self, last_event_id: str | None = None) -> None:
        self.last_event_id = last_event_id
        self.retry_seconds = RETRY_SECONDS
        self.reset()

    def reset(self) -> None:
        """Forgets an event that a broken connection left half told."""
        self._id = self.last_event_id
        self._event = ""
        self._data: list[str] = []

    def feed(self, line: str) -> ServerEvent | None:
        """Takes one line without its end; an empty line completes an event."""
        if not line:
            return self._dispatch()
        name, _, value = line.partition(":")
        self._field(name, value.removeprefix(" "))
        return None

    def _field(self, name: str, value: str) -> None:
        if name == "data":
            self._data.append(value)
        elif name == "event":
            self._event = value
        elif name == "id" and "\0" not in value:
            self._id = value
        elif name == "retry" and value.isascii() and value.isdigit():
            self.retry_seconds = int(value) / 1000

    def _dispatch(self) -> ServerEvent | None:
        data, event = "\n".join(self._data), self._event or "message"
        self.last_event_id = self._id
        self.reset()
        if not data:
            return None
        return ServerEvent(id=self.last_event_id, event=event, data=json.loads(data))


def follow(open_stream: Open, path: str, last_event_id: str | None = None, *, timeout: float | None = None) -> Events:
    """Yields events until the server answers 204.

    Raises `Unavailable` when the server stays away, and `TimeoutError` after `timeout` seconds.
    """
    parser, clock = Parser(last_event_id), _Clock(timeout)
    while True:
        try:
            response = open_stream(path, _headers(parser), clock.read_seconds())
            if response.status_code == 204:
                return
            clock.alive()
            parser.reset()
            for event in _events(response, parser, clock):
                clock.alive()
                yield event
        except (Unavailable, *_BROKEN) as error:
            clock.check_away(error)
        clock.pause(parser.retry_seconds)


_BROKEN: Final = (urllib3.exceptions.HTTPError, http.client.HTTPException, ConnectionError)


def _headers(parser: Parser) -> dict[str, str]:
    resume = {"Last-Event-ID": parser.last_event_id} if parser.last_event_id else {}
    return {"Accept": "text/event-stream", "Cache-Control": "no-store", **resume}


def _events(response: requests.Response, parser: Parser, clock: _Clock) -> Events:
    with response, clock.interrupting(response):
        for line in _lines(response):
            clock.check_timeout()
            event = parser.feed(line)
            if event is not None:
                yield event


def _lines(response: requests.Response) -> Iterator[str]:
    """Lines as they come: `read1` returns what is there, where `iter_lines` waits for its buffer to fill."""
    decode, rest = codecs.getincrementaldecoder("utf-8")("replace").decode, ""
    while chunk := response.raw.read1(65536):
        *lines, rest = (rest + decode(chunk)).split("\n")
        for line in lines:
            yield line.removesuffix("\r")


class _Clock:
    """Knows how long the whole may take and since when the server is away."""

    def __init__(self, timeout: float | None) -> None:
        self._deadline = None if timeout is None else time.monotonic() + timeout
        self._seen = time.monotonic()

    def alive(self) -> None:
        self._seen = time.monotonic()

    def read_seconds(self) -> float:
        self.check_timeout()
        return max(0.05, min(SILENCE_SECONDS, self._left()))

    def check_timeout(self) -> None:
        if self._left() <= 0:
            raise TimeoutError

    @contextmanager
    def interrupting(self, response: requests.Response) -> Iterator[None]:
        """Ends the reading when the time is over; the socket's own timeout starts anew with every keep-alive."""
        if self._deadline is None:
            yield
            return
        timer = threading.Timer(self._left(), response.raw.shutdown)
        timer.daemon = True
        timer.start()
        try:
            yield
        finally:
            timer.cancel()

    def check_away(self, error: Exception) -> None:
        self.check_timeout()
        if time.monotonic() - self._seen > AWAY_SECONDS:
            raise Unavailable(f"the stream of events broke and did not come back: {error}") from error

    def pause(self, seconds: float) -> None:
        time.sleep(max(0.0, min(seconds, self._left())))

    def _left(self) -> float:
        return float("inf") if self._deadline is None else self._deadline - time.monotonic()
