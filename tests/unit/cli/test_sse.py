from __future__ import annotations

import time

import pytest

from aispine.errors import NotFound, Unavailable
from cli import sse
from cli.client import Client
from tests.unit.cli.standin import Reply, Request, event, problem, serving

NO_PAUSE = b"retry: 0\n\n"


def test_events_are_parsed_whatever_the_chunks_and_line_ends() -> None:
    text = b": keep-alive\r\nretry: 0\r\n" + 'id: 7\r\nevent: a.b\r\ndata: {"é":\r\ndata: 1}\r\n\r\n'.encode()
    chunks = tuple(text[start : start + 3] for start in range(0, len(text), 3))
    with serving(lambda request: Reply(status=204) if _resumes(request) else Reply(chunks=chunks)) as server:
        assert list(Client(server.url).stream("/s")) == [sse.ServerEvent(id="7", event="a.b", data={"é": 1})]


def test_a_broken_stream_is_taken_up_after_the_last_event() -> None:
    def answer(request: Request) -> Reply:
        last = request.headers.get("Last-Event-ID")
        if last is None:
            return Reply(chunks=(NO_PAUSE, event(1, "node.started", "a"), b'id: 2\ndata: {"half'), broken=True)
        return Reply(chunks=(event(2, "node.completed", "a"),)) if last == "1" else Reply(status=204)

    with serving(answer) as server:
        assert [found.id for found in Client(server.url).stream("/s")] == ["1", "2"]
    assert [request.headers.get("Last-Event-ID") for request in server.requests] == [None, "1", "2"]


def test_a_server_that_comes_back_is_followed_on() -> None:
    def answer(request: Request) -> Reply:
        if len(server.requests) == 2:
            return problem(503, code="unavailable")
        return Reply(status=204) if _resumes(request) and len(server.requests) > 2 else Reply(chunks=(NO_PAUSE, _one()))

    with serving(answer) as server:
        assert len(list(Client(server.url).stream("/s"))) == 1
    assert len(server.requests) == 3


def test_what_is_not_there_is_no_reason_to_try_again() -> None:
    with serving(lambda _: problem(404, code="not_found")) as server, pytest.raises(NotFound):
        list(Client(server.url).stream("/s"))
    assert len(server.requests) == 1


def test_a_server_that_stays_away_is_given_up(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sse, "AWAY_SECONDS", 0.2)
    monkeypatch.setattr(sse, "RETRY_SECONDS", 0.05)
    with serving(lambda _: problem(503, code="unavailable")) as server, pytest.raises(Unavailable, match="did not"):
        list(Client(server.url).stream("/s"))


def test_the_timeout_ends_a_stream_that_says_nothing() -> None:
    def answer(_: Request) -> Reply:
        return Reply(chunks=(b": keep-alive\n\n", b"retry: 20000\n\n"))

    began = time.monotonic()
    with serving(answer) as server, pytest.raises(TimeoutError):
        list(Client(server.url).stream("/s", timeout=0.2))
    assert time.monotonic() - began < 5


def test_the_timeout_is_kept_between_two_keep_alives() -> None:
    began = time.monotonic()
    # The keep-alive after 1.5 s arms the socket's timeout of 2 s anew; the next one comes at 3 s.
    with serving(lambda _: Reply(chunks=(b": hello\n\n",), beat=1.5)) as server, pytest.raises(TimeoutError):
        list(Client(server.url).stream("/s", timeout=2))
    assert time.monotonic() - began < 2.8


def _one() -> bytes:
    return event(1, "node.started", "a")


def _resumes(request: Request) -> bool:
    return "Last-Event-ID" in request.headers
