"""One HTTP request under a guard: sent, and answered whole or as it comes."""

from __future__ import annotations

import contextlib
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Final

import requests
from urllib3.exceptions import DecodeError, HTTPError

import aispine
from aispine.guards import calls, connection, traffic
from aispine.guards.calls import Call
from aispine.guards.failures import CallError, Cancelled, Refused, TooLate, Unreachable, Unreadable
from aispine.guards.rules import Guard

CHUNK: Final = 65536
_COMMON: Final = {"Accept": "application/json", "User-Agent": f"aispine/{aispine.__version__}"}


@dataclass(frozen=True, kw_only=True, slots=True)
class Request:
    """What is asked. `seconds` for the whole call, `limit` in bytes of the unpacked body.

    `key` names the call for `calls.cancel`; `callee` is what messages to people call the other side.
    """

    method: str
    url: str
    seconds: float
    limit: int
    headers: Mapping[str, str] = field(default_factory=dict)
    body: bytes | None = None
    key: str | None = None
    callee: str = "agent"


@dataclass(frozen=True, slots=True)
class Answer:
    """What came back, whatever its status."""

    status: int
    headers: Mapping[str, str]
    body: bytes


def send(request: Request, guard: Guard) -> Answer:
    """Sends a request and reads the answer. Raises `CallError`."""
    with _open(request, guard, "gzip") as answer:
        return Answer(answer.status, answer.headers, answer.body())


@contextlib.contextmanager
def stream(request: Request, guard: Guard) -> Iterator[Streamed]:
    """Sends a request and yields the answer once its head is there. Raises `CallError`, also while it is read."""
    # Not compressed: a packer holds back what a reader of single events waits for.
    with _open(request, guard, "identity") as answer:
        yield answer


@contextlib.contextmanager
def _open(request: Request, guard: Guard, encoding: str) -> Iterator[Streamed]:
    with calls.calling(request.seconds, guard, request.key) as call:
        traffic.towards(request.url)
        with _told(call, request):
            response = _asked(request, call, encoding)
        with contextlib.closing(response):
            yield Streamed(response, request, call)


class Streamed:
    """An answer whose body is still on its way; read it once, by one of the three."""

    def __init__(self, response: requests.Response, request: Request, call: Call) -> None:
        self.status = response.status_code
        self.headers: Mapping[str, str] = response.headers
        self._response = response
        self._request = request
        self._call = call

    def body(self) -> bytes:
        """The whole body, unpacked; what comes after the limit is never taken from the network."""
        with _told(self._call, self._request):
            content = self._read()
            traffic.received(len(content))
            if self._call.overdue or self._call.cancelled:
                raise TimeoutError  # The socket was shut down, which looks like the end of a body without a length.
            return content

    def chunks(self) -> Iterator[bytes]:
        """The body in pieces, each as soon as it is there."""
        read = 0
        while piece := self._piece():
            read += len(piece)
            traffic.received(len(piece))
            if read > self._request.limit:
                raise self._too_much()
            yield piece

    def lines(self) -> Iterator[bytes]:
        """The body's lines without their ends, each as soon as it is whole."""
        begun = bytearray()
        for piece in self.chunks():
            *whole, rest = piece.split(b"\n")
            for part in whole:
                yield bytes(begun + part).rstrip(b"\r")
                begun.clear()
            begun += rest
        if begun:
            yield bytes(begun).rstrip(b"\r")

    def _piece(self) -> bytes:
        with _told(self._call, self._request):
            piece: bytes = self._response.raw.read1(CHUNK, decode_content=True)
            if not piece and (self._call.overdue or self._call.cancelled):
                raise TimeoutError
            return piece

    def _read(self) -> bytes:
        announced = self.headers.get("Content-Length", "")
        if announced.isdigit() and int(announced) > self._request.limit:
            raise Unreadable(f"the answer is {announced} bytes; the limit is {self._request.limit}")
        content = bytearray()
        for chunk in self._response.raw.stream(CHUNK, decode_content=True):
            content += chunk
            if len(content) > self._request.limit:
                raise self._too_much()
        return bytes(content)

    def _too_much(self) -> Unreadable:
        return Unreadable(f"the answer is larger than the limit of {self._request.limit} bytes")


def _asked(request: Request, call: Call, encoding: str) -> requests.Response:
    try:
        return _sent(request, call, encoding)
    except requests.ConnectionError as error:
        if not _was_left_closed(call, error):
            raise
        return _sent(request, call, encoding)


def _sent(request: Request, call: Call, encoding: str) -> requests.Response:
    return connection.session().request(
        request.method,
        request.url,
        headers={**_COMMON, "Accept-Encoding": encoding, **request.headers},
        data=request.body,
        stream=True,
        allow_redirects=False,
        timeout=(call.remaining, call.remaining),
    )


def _was_left_closed(call: Call, error: Exception) -> bool:
    """True when the other side closed the connection kept from an earlier call just as this one was sent on it.

    Servers do so after seconds of idleness; it says nothing about them, and must not cost an attempt.
    """
    return call.reused and not (call.overdue or call.cancelled) and isinstance(_causes(error)[-1], ConnectionError)


@contextlib.contextmanager
def _told(call: Call, request: Request) -> Iterator[None]:
    """Turns whatever breaks a call into a `CallError`."""
    try:
        yield
    except CallError:
        raise
    except DecodeError as error:
        raise Unreadable("the answer's body is not compressed as its Content-Encoding says") from error
    except (requests.RequestException, HTTPError, OSError, ValueError) as error:
        raise _broken(call, error, request) from error


def _broken(call: Call, error: Exception, request: Request) -> CallError:
    refused = next((cause for cause in _causes(error) if isinstance(cause, Refused)), None)
    if refused is not None:
        return refused
    if call.cancelled:
        return Cancelled("the call was cancelled")
    late = isinstance(error, TimeoutError | requests.Timeout)
    if call.overdue or late or time.monotonic() >= call.deadline:
        return TooLate(f"the {request.callee} did not answer in {request.seconds:g} s")
    return Unreachable(f"the {request.callee} cannot be reached: {_why(error)}")


def _why(error: Exception) -> str:
    """A few words for people: the innermost reason, without the names of the library's pools and objects."""
    causes = _causes(error)
    system = next((cause for cause in reversed(causes) if isinstance(cause, OSError) and cause.strerror), None)
    return str(system.strerror) if system is not None else type(causes[-1]).__name__


def _causes(error: Exception) -> list[Exception]:
    """The error and what led to it, the first cause last."""
    causes = [error]
    while (inner := causes[-1].__cause__ or causes[-1].__context__) and isinstance(inner, Exception):
        causes.append(inner)
    return causes
