from __future__ import annotations

import email.utils
import gzip
import json
import resource
import socket
import threading
import time
from dataclasses import replace

import pytest
from cryptography.fernet import Fernet

from aispine.agent import credential, http, manifest
from aispine.agent.call import call
from aispine.agent.contract import AgentFailure, AgentReply, Health
from aispine.settings import Settings
from tests.integration.agent import remote
from tests.unit.agent.support import request

KEYS = Fernet.generate_key().decode()
SETTINGS = Settings(encryption_keys=KEYS, allowed_hosts="loopback", max_response_bytes=1_000_000)


@pytest.fixture
def agent():
    with remote.remote_agent() as running:
        yield running


def registered(agent, **changes):
    return replace(manifest.registration({"agent_id": "remote", "version": "1.2.0", "endpoint": agent.url}), **changes)


def execute(agent, **changes):
    return call(registered(agent), request(**changes), SETTINGS).outcome


def test_the_agent_is_asked_as_the_contract_says(agent):
    sealed = credential.seal("secret-key", KEYS)
    asked = request(attempt=2, config={"a": 1}, traceparent="00-aa-bb-01")
    outcome = call(registered(agent, credential=sealed), asked, SETTINGS).outcome
    assert outcome == AgentReply(output={"got": {"text": "hello"}})
    (sent,) = agent.calls
    assert (sent.method, sent.path) == ("POST", "/execute")
    assert sent.json == {"execution_id": "e1", "node_id": "n1", "input": {"text": "hello"}, "config": {"a": 1}}
    expected = {
        "authorization": "Bearer secret-key",
        "idempotency-key": "e1/n1",
        "traceparent": "00-aa-bb-01",
        "x-aispine-attempt": "2",
        "content-type": "application/json",
    }
    assert expected.items() <= sent.headers.items()


def test_connections_are_kept_and_used_again(agent):
    for _ in range(5):
        assert isinstance(execute(agent), AgentReply)
    assert agent.connections == 1


def test_a_connection_that_the_agent_closed_meanwhile_is_made_again(agent):
    def once(connection, sent):
        remote.succeed(connection, sent)
        connection.close()

    agent.behave = once
    for _ in range(3):
        assert isinstance(execute(agent), AgentReply)
    assert agent.connections == 3


def test_a_kept_connection_that_breaks_under_a_call_costs_no_attempt(agent):
    assert isinstance(execute(agent), AgentReply)

    def break_once(connection, _call):
        agent.behave = remote.succeed
        connection.close()

    agent.behave = break_once
    assert isinstance(execute(agent), AgentReply)
    assert (agent.connections, len(agent.calls)) == (2, 3)


def test_an_endpoint_with_a_path_and_a_slash_is_followed(agent):
    asked = registered(agent, endpoint=f"{agent.url}/agents/remote/")
    assert isinstance(http.execute(asked, request(), SETTINGS), AgentReply)
    assert agent.calls[0].path == "/agents/remote/execute"


SUCCESS = {"status": "success", "output": {"data": {}}, "execution_id": "e1"}


@pytest.mark.parametrize(
    ("behaviour", "code", "says"),
    [
        (remote.answer({"detail": "wrong field"}, 400), "rejected", "400: wrong field"),
        (remote.answer({}, 401), "rejected", "401"),
        (remote.answer({}, 403), "rejected", "403"),
        (remote.answer({}, 404), "rejected", "404"),
        (remote.answer({}, 422), "rejected", "422"),
        (remote.answer({"error_message": "busy"}, 429), "rate_limited", "429: busy"),
        (remote.answer(b"<html>oops</html>", 500, "text/html"), "unavailable", "500"),
        (remote.answer({}, 502), "unavailable", "502"),
        (remote.answer({}, 503), "unavailable", "503"),
        (remote.answer({}, 504), "unavailable", "504"),
        (remote.answer({}, 302, Location="http://127.0.0.1:1/"), "invalid_response", "redirects are not followed"),
        (remote.answer(SUCCESS, 201), "invalid_response", "201"),
        (remote.answer(b"", 204), "invalid_response", "204"),
        (remote.answer({"status": "error", "error_message": "no"}), "agent_error", "no"),
        (remote.answer(b"<html></html>", 200, "text/html"), "invalid_response", "text/html"),
        (remote.answer(SUCCESS, 200, "text/plain"), "invalid_response", "text/plain"),
        (remote.answer(SUCCESS, 200, None), "invalid_response", "missing"),
        (remote.answer(b"nonsense"), "invalid_response", "line 1, column 1"),
        (remote.answer(b""), "invalid_response", "line 1, column 1"),
        (remote.answer(b'{"status": "succ'), "invalid_response", "not JSON"),
        (remote.answer(b"\xff\xfe\x00\x01"), "invalid_response", "not JSON"),
        (remote.answer(b"[" * 100_000 + b"]" * 100_000), "invalid_response", "nested deeper"),
        (remote.answer(b'{"status": "success", "output": {"data": NaN}}'), "invalid_response", "NaN"),
        (remote.answer(b'{"status": "success", "output": {"data": 1e999}}'), "invalid_response", "infinite"),
        (remote.answer([1, 2]), "invalid_response", "JSON object"),
        (remote.answer({"status": "maybe"}), "invalid_response", "`status`"),
        (remote.answer({**SUCCESS, "execution_id": "e2"}), "invalid_response", "`execution_id`"),
        (remote.answer(b'{"status": "success", "output": {"data": "caf\xe9"}}'), "invalid_response", "UTF-8"),
        (remote.close, "unavailable", "cannot be reached"),
        # It announces more than it sends, and less; a length that is none; headers without end.
        (remote.pieces(remote.head(200, 500), b'{"status"', close=True), "unavailable", "cannot be reached"),
        (remote.pieces(remote.head(200, 9), b'{"status": "success"}'), "invalid_response", "not JSON"),
        (remote.pieces(b"HTTP/1.1 200 OK\r\nX-A: ", b"a" * 200_000, close=True), "unavailable", "cannot be reached"),
        (remote.pieces(b"HTTP/1.1 200 OK\r\n", b"X-A: a\r\n" * 10_000, close=True), "unavailable", "cannot be reached"),
        (lambda connection, _: connection.sendall(b"SSH-2.0-nonsense\r\n\r\n"), "unavailable", "cannot be reached"),
        (remote.answer(b"not gzip", Content_Encoding="gzip"), "invalid_response", "compressed"),
    ],
)
def test_every_answer_means_what_the_contract_says(agent, behaviour, code, says):
    agent.behave = behaviour
    failure = execute(agent)
    assert isinstance(failure, AgentFailure)
    assert failure.code == code
    assert says in failure.message
    assert len(failure.message) < 500
    assert "\n" not in failure.message


@pytest.mark.parametrize(
    ("headers", "seconds"),
    [
        ({"Retry_After": "7"}, 7),
        ({"Retry_After": "1.5"}, 1.5),
        ({"Retry_After": "Wed, 21 Oct 2015 07:28:00 GMT"}, 0),
        ({"Retry_After": "-5"}, 0),
        ({"Retry_After": "99999999999"}, 86400),
        ({"Retry_After": "soon"}, None),
        ({"Retry_After": "nan"}, None),
        ({"X_RateLimit_Reset": "30"}, 30),
        ({}, None),
    ],
)
def test_the_agent_says_when_to_come_again(agent, headers, seconds):
    agent.behave = remote.answer({}, 429, **headers)
    failure = execute(agent)
    assert failure.code == "rate_limited"
    assert failure.retry_after == seconds


def test_the_agent_may_name_the_time_of_the_day(agent):
    then = int(time.time()) + 100
    for headers in ({"Retry_After": email.utils.formatdate(then, usegmt=True)}, {"X_RateLimit_Reset": str(then)}):
        agent.behave = remote.answer({}, 429, **headers)
        assert execute(agent).retry_after == pytest.approx(100, abs=30)


def test_a_busy_agents_limits_are_told(agent):
    limits = {"X_RateLimit_Limit": "60", "X_RateLimit_Remaining": "0", "X_RateLimit_Reset": "5"}
    agent.behave = remote.answer({}, 429, **limits)
    assert execute(agent).detail == {"limit": "60", "remaining": "0", "reset": "5"}


def test_a_refused_connection_is_unavailable():
    with socket.create_server(("127.0.0.1", 0)) as taken:
        url = f"http://127.0.0.1:{taken.getsockname()[1]}"
    asked = manifest.registration({"agent_id": "remote", "version": "1.2.0", "endpoint": url})
    failure = http.execute(asked, request(), SETTINGS)
    assert failure == AgentFailure(code="unavailable", message="the agent cannot be reached: Connection refused")


def test_a_name_that_does_not_resolve_is_unavailable():
    asked = manifest.registration({"agent_id": "remote", "version": "1.2.0", "endpoint": "http://agent.invalid"})
    failure = http.execute(asked, request(timeout=20.0), SETTINGS)
    assert (failure.code, "cannot be reached" in failure.message) == ("unavailable", True)


def test_a_resolver_that_does_not_answer_ends_at_the_deadline(monkeypatch):
    released = threading.Event()

    def resolve(*_, **__):
        # Python 3.11 stands still under a tracer while a thread that was given up waits in C: so in short waits.
        while not released.wait(0.05):
            pass

    monkeypatch.setattr(socket, "getaddrinfo", resolve)
    asked = manifest.registration({"agent_id": "remote", "version": "1.2.0", "endpoint": "http://agent.example"})
    started = time.monotonic()
    assert http.execute(asked, request(timeout=0.3), SETTINGS).code == "timeout"
    assert time.monotonic() - started < 2
    released.set()


GOOD = json.dumps(SUCCESS).encode()


@pytest.mark.parametrize("where", ["nothing", "head", "body", "unending body", "chunks"])
def test_the_whole_call_ends_at_its_deadline_however_the_agent_dawdles(agent, where):
    chunked = b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nTransfer-Encoding: chunked\r\n\r\n"
    agent.behave = {
        "nothing": remote.hang(agent),
        "head": remote.drip(agent, remote.head(200, len(GOOD)) + GOOD),
        "body": remote.drip(agent, GOOD * 10, start=remote.head(200, len(GOOD) * 10)),
        "unending body": remote.drip(agent, GOOD * 10, start=remote.head(200, None)),
        "chunks": remote.drip(agent, b"1\r\n \r\n" * 100, start=chunked),
    }[where]
    started = time.monotonic()
    failure = execute(agent, timeout=0.4)
    assert failure == AgentFailure(code="timeout", message="the agent did not answer in 0.4 s")
    assert 0.3 < time.monotonic() - started < 2


def test_after_a_timeout_the_next_call_is_as_good_as_ever(agent):
    agent.behave = remote.hang(agent)
    assert execute(agent, timeout=0.2).code == "timeout"
    agent.behave = remote.succeed
    assert isinstance(execute(agent), AgentReply)


def test_a_listener_that_never_accepts_ends_at_the_deadline():
    with socket.create_server(("127.0.0.1", 0), backlog=0) as full:
        address = full.getsockname()
        waiting = [socket.socket() for _ in range(4)]
        for connection in waiting:
            connection.setblocking(False)  # noqa: FBT003 - the name is Python's.
            connection.connect_ex(address)
        values = {"agent_id": "remote", "version": "1.2.0", "endpoint": f"http://127.0.0.1:{address[1]}"}
        started = time.monotonic()
        assert http.execute(manifest.registration(values), request(timeout=0.5), SETTINGS).code == "timeout"
        assert time.monotonic() - started < 3
        for connection in waiting:
            connection.close()


@pytest.mark.parametrize("size", [50_000_000, 2 << 30], ids=["50 MB", "2 GB"])
@pytest.mark.parametrize("announce", [True, False])
def test_a_huge_body_is_refused_and_never_taken_in(agent, size, announce):
    agent.behave = remote.pour(size, announce=announce)
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    failure = execute(agent)
    assert failure.code == "invalid_response"
    assert "1000000" in failure.message
    assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before < 20_000


def test_what_is_left_on_a_connection_is_nobodys_answer(agent):
    """It announced less than it sent: the rest may not be read as the answer to the next question."""
    forged = b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: 2\r\n\r\n{}"
    content = json.dumps(SUCCESS).encode()
    for pieces in ((content + forged,), (content, forged)):
        agent.behave = remote.pieces(remote.head(200, len(content)), *pieces)
        assert isinstance(execute(agent), AgentReply)
        agent.behave = remote.succeed
        assert execute(agent) == AgentReply(output={"got": {"text": "hello"}})


def test_a_loop_of_redirects_is_asked_once(agent):
    agent.behave = remote.answer({}, 307, Location=f"{agent.url}/execute")
    assert execute(agent).code == "invalid_response"
    assert len(agent.calls) == 1


def test_a_small_body_that_unpacks_to_fifty_megabytes_is_refused(agent):
    agent.behave = remote.answer(gzip.compress(b" " * 50_000_000), Content_Encoding="gzip")
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    assert execute(agent).code == "invalid_response"
    assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before < 20_000


def test_a_compressed_answer_is_read(agent):
    agent.behave = remote.answer(gzip.compress(GOOD), Content_Encoding="gzip")
    assert execute(agent) == AgentReply(output={})


def test_a_call_under_way_can_be_cancelled(agent):
    agent.behave = remote.hang(agent)
    outcomes = []
    thread = threading.Thread(target=lambda: outcomes.append(execute(agent, timeout=30.0)))
    thread.start()
    remote.wait_until(lambda: len(agent.calls) == 1)
    assert http.cancel("e1", "n1", 1)
    thread.join(5)
    assert [outcome.code for outcome in outcomes] == ["cancelled"]
    assert not http.cancel("e1", "n1", 1)


def test_calls_of_many_threads_wait_beside_each_other(agent):
    def slowly(connection, sent):
        if not agent.released.wait(0.3):
            remote.succeed(connection, sent)

    agent.behave = slowly
    outcomes = []
    threads = [threading.Thread(target=lambda: outcomes.append(execute(agent))) for _ in range(40)]
    started = time.monotonic()
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(10)
    assert [type(outcome) for outcome in outcomes] == [AgentReply] * 40
    assert time.monotonic() - started < 4


def test_a_key_that_cannot_be_opened_is_told_and_nothing_is_sent(agent):
    stranger = credential.seal("secret-key", Fernet.generate_key().decode())
    failure = http.execute(registered(agent, credential=stranger), request(), SETTINGS)
    assert (failure.code, "cannot be decrypted" in failure.message) == ("rejected", True)
    assert agent.calls == []


def test_health_is_read(agent):
    assert http.health(registered(agent), SETTINGS) == Health(
        agent_id="remote",
        version="1.2.0",
        ready=True,
        capabilities=("test",),
        endpoint="http://remote",
        rate_limit={"requests_per_minute": 60},
    )


@pytest.mark.parametrize(
    ("behaviour", "code", "says"),
    [
        (remote.answer({}, 503), "unavailable", "503"),
        (remote.answer({}, 401), "rejected", "401"),
        (remote.answer({"status": "ok"}), "invalid_response", "`agent_id` is missing"),
        (remote.answer(b" " * 200_000), "invalid_response", "100000"),
        (remote.close, "unavailable", "cannot be reached"),
    ],
)
def test_a_health_that_is_none_is_told(agent, behaviour, code, says):
    agent.health = behaviour
    failure = http.health(registered(agent), SETTINGS)
    assert isinstance(failure, AgentFailure)
    assert (failure.code, says in failure.message) == (code, True)
