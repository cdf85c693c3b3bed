from __future__ import annotations

import json
import select
import socket
import threading
from collections.abc import Iterator
from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient

from aispine import settings
from aispine.engine.advance import advance
from aispine.engine.facts import Started
from aispine.engine.terms import Terms
from aispine.events.waker import Waker
from aispine.events.wakeups import Wakeups
from aispine.store.database import Store
from api.streams import Streams
from tests.support.polling import eventually


def stream(client: FlaskClient, execution_id: str, after: int | None = None, *, whole: bool = True) -> Any:
    """The answer, read to its end unless `whole` is false; then it has to be closed."""
    headers = {} if after is None else {"Last-Event-ID": str(after)}
    return client.get(f"/api/v1/executions/{execution_id}/stream", headers=headers, buffered=whole)


def events_of(text: str) -> list[dict[str, Any]]:
    """The events of a stream as a client reads them."""
    found = []
    for block in text.split("\n\n"):
        fields = dict(line.split(": ", 1) for line in block.splitlines() if not line.startswith(":"))
        if "data" in fields:
            event = json.loads(fields["data"])
            assert (fields["id"], fields["event"]) == (str(event["seq"]), event["type"])
            found.append(event)
    return found


@pytest.fixture
def begun(execution: str, engine_store: Store) -> str:
    assert advance(engine_store, execution, [Started()], Terms(owner="test")) is not None
    return execution


@pytest.fixture
def ended(client: FlaskClient, begun: str) -> str:
    client.post(f"/api/v1/executions/{begun}/cancel")
    return begun


def test_an_ended_execution_is_replayed_whole_and_the_stream_ends(client: FlaskClient, ended: str) -> None:
    answer = stream(client, ended)
    assert answer.mimetype == "text/event-stream"
    assert answer.headers["X-Accel-Buffering"] == "no"
    assert answer.text.startswith("retry: ")
    stored: Any = client.get(f"/api/v1/executions/{ended}/events").json
    assert events_of(answer.text) == stored["data"]
    assert events_of(answer.text)[-1]["type"] == "execution.cancelled"


def test_a_client_that_comes_back_gets_what_it_missed(client: FlaskClient, ended: str) -> None:
    every = events_of(stream(client, ended).text)
    for seen in range(len(every)):
        assert events_of(stream(client, ended, seen).text) == every[seen:]
        parameter = client.get(f"/api/v1/executions/{ended}/stream?last_event_id={seen}", buffered=True)
        assert events_of(parameter.text) == every[seen:]


def test_after_the_terminal_event_there_is_nothing_to_follow(client: FlaskClient, ended: str) -> None:
    last = len(events_of(stream(client, ended).text))
    assert stream(client, ended, last).status_code == 204
    assert stream(client, ended, last + 5).status_code == 204


@pytest.mark.parametrize("after", ["x", "-1", "1.5", "99999999999", "\xb2"])
def test_a_last_event_id_that_is_none_is_refused(client: FlaskClient, execution: str, after: str) -> None:
    answer = client.get(f"/api/v1/executions/{execution}/stream", headers={"Last-Event-ID": after})
    assert answer.status_code == 400
    assert answer.json is not None
    assert answer.json["field"] == "Last-Event-ID"


def test_events_arrive_live_over_redis(client: FlaskClient, begun: str) -> None:
    answer = stream(client, begun, whole=False)
    chunks: Iterator[Any] = iter(answer.response)
    seen = [next(chunks), next(chunks)]
    threading.Timer(0.2, client.post, [f"/api/v1/executions/{begun}/cancel"]).start()
    seen += list(chunks)
    assert events_of(b"".join(seen).decode())[-1]["type"] == "execution.cancelled"
    answer.close()


def test_without_redis_the_store_is_asked(web_store: Store, client: FlaskClient, tenant: str, begun: str) -> None:
    streams = Streams(web_store, Wakeups("redis://127.0.0.1:1/0"), limit=1)
    answer = streams.open(tenant, begun, 0)
    chunks: Iterator[Any] = iter(answer.response)
    seen = [next(chunks), next(chunks)]
    client.post(f"/api/v1/executions/{begun}/cancel")
    seen += list(chunks)
    assert events_of(b"".join(seen).decode())[-1]["type"] == "execution.cancelled"
    answer.close()


def test_silence_is_filled_with_comments(web_store: Store, tenant: str, begun: str) -> None:
    streams = Streams(web_store, Wakeups(None), limit=1)
    answer = streams.open(tenant, begun, 0, keep_alive=0.05)
    chunks: Iterator[Any] = iter(answer.response)
    assert b": keep-alive\n\n" in (next(chunks) for _ in range(10))
    answer.close()


def test_streams_end_when_the_process_stops(web_store: Store, tenant: str, begun: str) -> None:
    streams = Streams(web_store, Wakeups(None), limit=1)
    answer = streams.open(tenant, begun, 0)
    chunks: Iterator[Any] = iter(answer.response)
    next(chunks)
    streams.going_on = lambda: False
    assert len(list(chunks)) <= 2, "it ends soon, not at its next keep-alive"
    answer.close()


def test_streams_beyond_the_limit_are_refused_and_the_others_go_on(
    app: Flask, client: FlaskClient, web_store: Store, begun: str
) -> None:
    parts = app.extensions["aispine"]
    parts.streams = Streams(web_store, Wakeups(settings.current().redis_url), limit=2)
    first, second = (stream(client, begun, whole=False) for _ in range(2))
    refused = stream(client, begun)
    assert refused.status_code == 503
    assert int(refused.headers["Retry-After"]) > 0
    assert client.get(f"/api/v1/executions/{begun}").status_code == 200
    second.close()
    third = stream(client, begun, whole=False)
    assert third.status_code == 200
    first.close()
    third.close()


def test_one_reader_serves_all_streams_of_an_execution_the_masked_and_the_open_ones(
    client: FlaskClient, web_store: Store, tenant: str, begun: str
) -> None:
    streams = Streams(web_store, Wakeups(settings.current().redis_url), limit=20)
    answers = [streams.open(tenant, begun, 0, sensitive=number % 2 == 0) for number in range(10)]
    seen: list[bytes] = []
    threads = [threading.Thread(target=lambda a=each: seen.append(b"".join(a.response))) for each in answers]
    for thread in threads:
        thread.start()
    assert (streams.count, streams.readers) == (10, 1)
    late = streams.open(tenant, begun, 1)
    client.post(f"/api/v1/executions/{begun}/cancel")
    for thread in threads:
        thread.join(10)
    stored: Any = client.get(f"/api/v1/executions/{begun}/events").json
    assert [events_of(each.decode()) for each in seen] == [stored["data"]] * 10
    assert events_of(b"".join(late.response).decode()) == stored["data"][1:]
    assert streams.reads < 10
    for answer in (*answers, late):
        answer.close()
    assert (streams.count, streams.readers) == (0, 0)


def test_a_client_that_has_gone_or_does_not_read_loses_its_stream(web_store: Store, tenant: str, begun: str) -> None:
    streams = Streams(web_store, Wakeups(None), limit=3, patience=0.1)
    (gone, gone_end), (stuck, stuck_end), (well, well_end) = (socket.socketpair() for _ in range(3))
    answers = [streams.open(tenant, begun, 0, connection=each) for each in (gone, stuck, well)]
    rest: Iterator[Any] = iter(answers[0].response)
    # It is sent something that it does not take: nobody asks for what follows.
    next(iter(answers[1].response))
    gone_end.close()
    list(rest)
    assert select.select([stuck_end, well_end], [], [], 10)[0] == [stuck_end]
    assert stuck_end.recv(1) == b""
    for answer in answers:
        answer.close()
    for each in (gone, stuck, stuck_end, well, well_end):
        each.close()


def test_a_wake_up_reaches_the_followers_of_that_execution_alone(settings_env: Any) -> None:
    wakeups = Wakeups(settings.current().redis_url)
    waker = Waker(str(settings.current().redis_url))
    mine, other = threading.Event(), threading.Event()
    wakeups.add("a", mine, mine.set)
    wakeups.add("b", other, other.set)
    eventually(lambda: mine.is_set() and other.is_set(), what="the connection, after which all look once")
    mine.clear()
    other.clear()
    waker.wake("a")
    eventually(mine.is_set, what="the wake-up")
    assert not other.is_set()
    wakeups.remove("a", mine)
    wakeups.remove("b", other)


def test_the_listening_thread_goes_when_nobody_follows_and_comes_again(settings_env: Any) -> None:
    wakeups = Wakeups(settings.current().redis_url)
    for _ in range(2):
        woken = threading.Event()
        wakeups.add("a", woken, woken.set)
        eventually(woken.is_set, what="the connection")
        wakeups.remove("a", woken)
        eventually(lambda: wakeups._thread is None, what="the end of the thread")
