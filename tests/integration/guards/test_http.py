from __future__ import annotations

import socket
import threading
from contextlib import contextmanager

import pytest

from aispine.guards import http, rules, traffic
from aispine.guards.calls import Call
from aispine.guards.failures import Refused, TooLate, Unreadable
from aispine.guards.rules import Guard
from aispine.settings import Settings
from tests.integration.agent import remote

LOOPBACK = rules.of(Settings(allowed_hosts="loopback"))


@pytest.fixture
def agent():
    with remote.remote_agent() as running:
        yield running


def asked(url, **changes):
    return http.Request(**{"method": "GET", "url": f"{url}/health", "seconds": 5, "limit": 10_000, **changes})


@pytest.mark.parametrize(
    "host", ["127.0.0.1", "2130706433", "0x7f000001", "0177.0.0.1", "127.1", "0", "localhost", "[::ffff:127.0.0.1]"]
)
def test_every_spelling_of_loopback_is_refused(agent, host):
    port = agent.url.rpartition(":")[2]
    with pytest.raises(Refused):
        http.send(asked(f"http://{host}:{port}"), Guard())
    assert agent.connections == 0


def test_a_name_whose_answer_changes_leads_only_where_it_was_checked(agent, monkeypatch):
    """The first answer is what is checked and used: nobody asks again."""
    port = int(agent.url.rpartition(":")[2])
    answers = [["169.254.169.254"], ["127.0.0.1"]]

    def resolver(_host, _port, **_kinds):
        return [(socket.AF_INET, socket.SOCK_STREAM, 6, "", (address, port)) for address in answers.pop(0)]

    monkeypatch.setattr(socket, "getaddrinfo", resolver)
    with pytest.raises(Refused, match=r"169\.254\.169\.254"):
        http.send(asked(f"http://changes.example.com:{port}"), LOOPBACK)
    assert http.send(asked(f"http://changes.example.com:{port}"), LOOPBACK).status == 200
    assert (answers, agent.connections) == ([], 1)


def test_a_kept_connection_serves_no_guard_that_would_not_have_made_it(agent):
    assert http.send(asked(agent.url), LOOPBACK).status == 200
    with pytest.raises(Refused):
        http.send(asked(agent.url), Guard())
    assert (len(agent.calls), agent.connections) == (1, 1)


def test_a_connection_serves_the_next_call_of_any_thread(agent):
    for _ in range(3):
        caller = threading.Thread(target=http.send, args=(asked(agent.url), LOOPBACK))
        caller.start()
        caller.join()
    assert (len(agent.calls), agent.connections) == (3, 1)


def test_the_late_end_of_a_call_leaves_the_connection_to_the_next_one():
    ours, theirs = socket.socketpair()
    with ours, theirs:
        first, second = (Call(deadline=0.0, guard=LOOPBACK) for _ in range(2))
        first.use(ours)
        first.leave(ours)
        second.use(ours, reused=True)
        first.cut()
        ours.sendall(b"x")
        second.cut()
        with pytest.raises(BrokenPipeError):
            ours.sendall(b"x")


def test_redirects_are_answers(agent):
    agent.health = remote.answer({}, 302, Location="http://169.254.169.254/")
    assert http.send(asked(agent.url), LOOPBACK).status == 302


def test_what_was_sent_and_came_back_is_counted_for_whoever_asks(agent):
    with traffic.counted() as outer:
        with traffic.counted() as fine:
            answer = http.send(asked(agent.url, body=b"12345"), LOOPBACK)
        agent.health = remote.hang(agent)
        with pytest.raises(TooLate), traffic.counted() as late:
            http.send(asked(agent.url, body=b"123", seconds=0.2), LOOPBACK)
        with pytest.raises(Refused), traffic.counted() as refused:
            http.send(asked("http://169.254.169.254", body=b"1"), LOOPBACK)
    assert (fine.sent, fine.received, fine.host) == (5, len(answer.body), "127.0.0.1")
    assert (late.sent, late.received, late.host) == (3, 0, "127.0.0.1")
    assert (refused.sent, refused.received, refused.host) == (0, 0, "169.254.169.254")
    assert (outer.sent, outer.received) == (8, len(answer.body))


@contextmanager
def trickling(*pieces, open_ended=False):
    """A server that sends each piece when the one before was read, chunked as servers of events do."""
    go = threading.Semaphore(0)
    listener = socket.create_server(("127.0.0.1", 0))

    def serve():
        with listener.accept()[0] as connection:
            connection.recv(65536)
            connection.sendall(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n")
            for piece in pieces:
                connection.sendall(b"%x\r\n%s\r\n" % (len(piece), piece))
                go.acquire(timeout=5)
            if not open_ended:
                connection.sendall(b"0\r\n\r\n")

    thread = threading.Thread(target=serve, daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{listener.getsockname()[1]}", go
    finally:
        listener.close()
        go.release(len(pieces))
        thread.join()


def test_lines_come_as_they_are_sent():
    with trickling(b"data: 1\r\n", b"da", b"ta: 2\n\nend") as (url, go), http.stream(asked(url), LOOPBACK) as answer:
        lines = answer.lines()
        assert (answer.status, next(lines)) == (200, b"data: 1")
        go.release()
        go.release()
        assert [next(lines), next(lines)] == [b"data: 2", b""]
        go.release()
        assert list(lines) == [b"end"]


def test_a_stream_that_never_ends_ends_at_the_deadline():
    with trickling(b"one\n", open_ended=True) as (url, _), http.stream(asked(url, seconds=0.3), LOOPBACK) as answer:
        lines = answer.lines()
        assert next(lines) == b"one"
        with pytest.raises(TooLate):
            next(lines)


def test_a_stream_that_grows_beyond_the_limit_is_cut():
    with trickling(b"x" * 90, b"y" * 20) as (url, go), http.stream(asked(url, limit=100), LOOPBACK) as answer:
        go.release()
        with pytest.raises(Unreadable, match="larger than the limit of 100 bytes"):
            list(answer.lines())
