"""The audit of calls: what is read of it, by whom, and how it gets there."""

from __future__ import annotations

import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from flask.testing import FlaskClient

from aispine.audit import Callee, Caller, Journal, Report
from aispine.retention import Retention
from aispine.store.database import Store
from aispine.store.ids import new_id
from tests.support import service
from tests.support.service import Reply, Service

EXECUTION = new_id()
ECHO = Callee(kind="agent", name="echo", version="1.0.0")


def report(outcome: str = "success", *, days: float = 0.0, **more: Any) -> Report:
    return Report(outcome=outcome, begun=time.time() - days * 86_400, seconds=0.25, **more)


@pytest.fixture
def caller(tenant: str) -> Caller:
    return Caller(tenant_id=tenant, name="worker:1:1", execution_id=EXECUTION, path="a", attempt=2)


@pytest.fixture
def shop() -> Iterator[Service]:
    with service.serving() as running:
        running.on("POST", "/orders", Reply(body={"state": "sent"}), Reply(status=503))
        yield running


def listed(client: FlaskClient, **query: Any) -> list[dict[str, Any]]:
    answer = client.get("/api/v1/calls", query_string=query)
    assert answer.status_code == 200, answer.text
    assert answer.json is not None
    return list(answer.json["data"])


def test_calls_are_written_together_a_moment_later_and_read_by_their_tenant_alone(
    client: FlaskClient, stranger: FlaskClient, engine_store: Store, caller: Caller
) -> None:
    journal = Journal(engine_store, every=60)
    journal.note(caller, ECHO, report(days=0.001, input_bytes=10, output_bytes=20))
    journal.note(caller, Callee(kind="model", name="m"), report("rate_limited", tokens=7, cost_usd=0.5, host="h"))
    assert listed(client) == []
    journal.flush()
    model, echo = listed(client)
    assert (model["callee"], model["outcome"], model["tokens"], model["cost_usd"]) == ("m", "rate_limited", 7, 0.5)
    assert (echo["version"], echo["path"], echo["attempt"], echo["caller"]) == ("1.0.0", "a", 2, "worker:1:1")
    assert (echo["input_bytes"], echo["output_bytes"], echo["seconds"], echo["host"]) == (10, 20, 0.25, None)
    assert listed(stranger) == []


def test_calls_are_found_by_what_is_asked_for_page_by_page(
    client: FlaskClient, engine_store: Store, caller: Caller
) -> None:
    journal = Journal(engine_store, every=60)
    for number in range(5):
        journal.note(caller, ECHO, report("success" if number else "timeout", days=number))
    journal.flush()
    for query, count in [
        ({"callee": "echo"}, 5),
        ({"callee": "eddie"}, 0),
        ({"kind": "agent", "outcome": "timeout"}, 1),
        ({"execution_id": EXECUTION}, 5),
        ({"execution_id": new_id()}, 0),
        ({"since": (datetime.now(UTC) - timedelta(days=2.5)).isoformat()}, 3),
        ({"until": (datetime.now(UTC) - timedelta(days=2.5)).isoformat()}, 2),
    ]:
        assert len(listed(client, **query)) == count, query
    first = client.get("/api/v1/calls", query_string={"limit": 3}).json
    assert first is not None
    rest = listed(client, cursor=first["next_cursor"])
    assert (len(first["data"]), len(rest), len({row["call_id"] for row in first["data"] + rest})) == (3, 2, 5)
    for query in ({"kind": "person"}, {"cursor": "x"}, {"since": "yesterday"}, {"execution_id": "x"}, {"limit": 0}):
        assert client.get("/api/v1/calls", query_string=query).status_code == 400, query


def test_a_tool_that_is_called_over_the_api_is_audited_with_the_key(client: FlaskClient, shop: Service) -> None:
    made = client.post("/api/v1/tools", json={"tool_id": "order", "endpoint": f"{shop.url}/orders"})
    assert made.status_code == 201, made.text
    for _ in range(2):
        assert client.post("/api/v1/tools/order/execute", json={"input_data": {"id": 1}}).status_code == 200
    failed, fine = listed(client)
    assert [(call["kind"], call["callee"], call["caller"]) for call in (failed, fine)] == [
        ("tool", "order", "key:test")
    ] * 2
    assert (fine["outcome"], fine["input_bytes"], fine["host"]) == ("success", len(b'{"id": 1}'), "127.0.0.1")
    assert fine["output_bytes"] >= len('{"state":"sent"}')
    assert (failed["outcome"], failed["execution_id"]) == ("unavailable", None)


def test_calls_that_cannot_be_written_are_kept_and_those_that_were_given_up_are_counted(
    client: FlaskClient, engine_store: Store, caller: Caller
) -> None:
    missed: list[int] = []
    away = Store("postgresql+psycopg2://nobody@127.0.0.1:1/none", pool_size=1)
    journal = Journal(away, every=60, most=3, missed=missed.append)
    for number in range(5):
        journal.note(caller, ECHO, report(input_bytes=number))
    journal.flush()
    assert sum(missed) == 2
    journal._store = engine_store
    journal.flush()
    assert sorted(row["input_bytes"] for row in listed(client)) == [2, 3, 4]


def test_the_audit_is_forgotten_after_its_time_and_not_with_its_execution(
    client: FlaskClient, engine_store: Store, caller: Caller
) -> None:
    journal = Journal(engine_store, every=60)
    for days in (0, 10, 100):
        journal.note(caller, ECHO, report(days=days))
    journal.flush()
    Retention(store=engine_store, seconds=0, call_seconds=0).forget()
    assert len(listed(client)) == 3
    Retention(store=engine_store, seconds=0, call_seconds=90 * 86_400).forget()
    assert len(listed(client)) == 2
