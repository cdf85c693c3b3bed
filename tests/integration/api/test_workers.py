"""Workers as the API shows them, and draining as the operator's command asks for it."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

import pytest
from flask.testing import FlaskClient
from sqlalchemy import text

from aispine.engine import attendance
from aispine.engine.advance import advance, claim
from aispine.engine.facts import Started
from aispine.engine.terms import Terms
from aispine.errors import Conflict, InvalidRequest, NotFound
from aispine.store import workers
from aispine.store.database import Store
from aispine.store.workers import Presence

HEARTBEAT = 3.0
WORKER = Presence(
    worker_id="w3:7:abc",
    name="io@w3",
    host="w3",
    pid=5,
    pool="io",
    queues=("io",),
    slots=8,
    busy=1,
    processes=(7,),
    version="9.9.9",
    started_at=datetime(2026, 1, 1, tzinfo=UTC),
)


@pytest.fixture
def worker(engine_store: Store) -> Iterator[str]:
    workers.beat(engine_store, WORKER)
    yield WORKER.worker_id
    workers.leave(engine_store, WORKER.worker_id)


def listed(client: FlaskClient) -> dict[str, dict[str, Any]]:
    answer = client.get("/api/v1/workers")
    assert answer.status_code == 200, answer.text
    assert answer.json is not None
    return {row["worker_id"]: row for row in answer.json["data"]}


def silence(store: Store, seconds: float) -> None:
    with store.session(None) as session:
        statement = text("UPDATE workers SET heartbeat_at = now() - :s * interval '1 second' WHERE worker_id = :id")
        session.execute(statement, {"s": seconds, "id": WORKER.worker_id})


def test_a_worker_is_shown_with_its_slots(client: FlaskClient, worker: str) -> None:
    row = listed(client)[worker]
    assert (row["name"], row["state"], row["queues"]) == ("io@w3", "active", ["io"])
    assert (row["slots"], row["busy"], row["free"], row["version"]) == (8, 1, 7, "9.9.9")
    assert row["heartbeat_seconds"] < 60
    answer = client.get("/api/v1/workers/io@w3")
    assert answer.json is not None
    assert answer.json["worker_id"] == worker


def test_a_tenant_sees_its_own_nodes_on_a_worker_and_no_others(
    client: FlaskClient, stranger: FlaskClient, engine_store: Store, execution: str, worker: str
) -> None:
    terms = Terms(owner="w3:7:abc", lease=60)
    advance(engine_store, execution, [Started()], terms)
    assert claim(engine_store, execution, ["say"], terms)
    (node,) = listed(client)[worker]["nodes"]
    assert (node["execution_id"], node["path"], node["attempt"]) == (execution, "say", 1)
    assert 0 <= node["seconds"] < 60
    assert listed(stranger)[worker]["nodes"] == []
    assert listed(stranger)[worker]["busy"] == 1


def test_a_silent_worker_is_lost_and_in_the_end_forgotten(
    client: FlaskClient, engine_store: Store, worker: str
) -> None:
    silence(engine_store, 60)
    assert listed(client)[worker]["state"] == "lost"
    assert "io@w3" not in workers.forget(engine_store, 300)
    silence(engine_store, 400)
    assert "io@w3" in workers.forget(engine_store, 300)
    assert worker not in listed(client)


def test_an_unknown_worker_is_not_found(client: FlaskClient) -> None:
    assert client.get("/api/v1/workers/nobody").status_code == 404


def test_draining_is_asked_for_and_heard_at_the_next_heartbeat(engine_store: Store, worker: str) -> None:
    with engine_store.session(None) as session:
        assert attendance.drain(session, "io@w3", HEARTBEAT).state == "draining"
    assert workers.beat(engine_store, WORKER) is True
    with engine_store.session(None) as session:
        assert attendance.drain(session, worker, HEARTBEAT, wanted=False).state == "active"
    assert workers.beat(engine_store, WORKER) is False


def test_what_cannot_drain_is_refused(engine_store: Store, worker: str) -> None:
    silence(engine_store, 60)
    with pytest.raises(Conflict), engine_store.session(None) as session:
        attendance.drain(session, worker, HEARTBEAT)
    with pytest.raises(NotFound), engine_store.session(None) as session:
        attendance.drain(session, "nobody", HEARTBEAT)
    beat = Presence(worker_id="w3:9:abc", name="beat@w3", host="w3", pid=9, pool="beat", started_at=WORKER.started_at)
    workers.beat(engine_store, beat)
    with pytest.raises(InvalidRequest), engine_store.session(None) as session:
        attendance.drain(session, beat.worker_id, HEARTBEAT)
    workers.leave(engine_store, beat.worker_id)
