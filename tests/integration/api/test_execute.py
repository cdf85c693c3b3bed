from __future__ import annotations

import threading
from collections.abc import Callable
from typing import Any

import pytest
from flask.testing import FlaskClient
from hypothesis import HealthCheck, given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st
from sqlalchemy import func, select, update

from aispine.store import idempotency
from aispine.store.database import Store
from aispine.store.models import ExecutionRow, IdempotencyKeyRow
from tests.integration.api.conftest import ECHO
from tests.support.disk import full_disk
from tests.support.environment import Servers

EXECUTE = "/api/v1/flows/execute"


def count(store: Store, tenant: str) -> int:
    with store.session(tenant) as session:
        return session.scalar(select(func.count()).select_from(ExecutionRow)) or 0


def test_an_execution_starts_with_what_it_was_given(client: FlaskClient, echo: str) -> None:
    request = {
        "flow_id": "echo_flow",
        "version": "^1.0",
        "input_data": {"amount": 3, "name": "Zoë"},
        "labels": {"team": "risk", "acme.com/stage": ""},
        "correlation_id": "order-1",
    }
    answer = client.post(EXECUTE, json=request)
    assert answer.status_code == 202
    shown: Any = client.get(answer.headers["Location"]).json
    assert shown == answer.json
    assert shown["status"] == "queued"
    assert (shown["flow_id"], shown["version"]) == (echo, "1.0.0")
    assert shown["input"] == request["input_data"]
    assert shown["labels"] == request["labels"]
    assert shown["correlation_id"] == "order-1"
    assert shown["metrics"] == {"duration_ms": None, "cost_usd": None, "token_usage": None}


def test_input_that_misses_the_schema_starts_nothing(
    client: FlaskClient, echo: str, web_store: Store, tenant: str
) -> None:
    answer = client.post(EXECUTE, json={"flow_id": echo, "input_data": {"amount": "three"}})
    assert answer.status_code == 422
    assert answer.json is not None
    assert answer.json["code"] == "invalid_input"
    assert "amount" in answer.text
    assert count(web_store, tenant) == 0


@pytest.mark.parametrize(
    ("body", "status", "field"),
    [
        ({}, 422, "flow_id"),
        ({"flow_id": "no_such"}, 404, "flow_id"),
        ({"flow_id": "echo_flow", "version": "^9"}, 404, "version"),
        ({"flow_id": "echo_flow", "version": "nine"}, 400, "version"),
        ({"flow_id": "echo_flow", "input": {}}, 422, "input"),
        ({"flow_id": "echo_flow", "input_data": [1]}, 422, "input_data"),
        ({"flow_id": "echo_flow", "input_data": {"blob": "x" * 1_000_001}}, 413, "input_data"),
        ({"flow_id": "echo_flow", "labels": {f"l{n}": "" for n in range(17)}}, 422, "labels"),
        ({"flow_id": "echo_flow", "labels": {"-": ""}}, 422, "labels"),
        ({"flow_id": "echo_flow", "labels": {"a": 1}}, 422, "labels.a"),
        ({"flow_id": "echo_flow", "labels": {"a": "x" * 256}}, 422, "labels.a"),
        ({"flow_id": "echo_flow", "correlation_id": ""}, 422, "correlation_id"),
    ],
)
def test_a_wrong_request_is_refused_naming_the_field(
    client: FlaskClient, echo: str, web_store: Store, tenant: str, body: Any, status: int, field: str
) -> None:
    answer = client.post(EXECUTE, json=body)
    assert answer.json is not None
    assert (answer.status_code, answer.json.get("field")) == (status, field)
    assert count(web_store, tenant) == 0


def test_a_body_over_the_limit_of_the_server_is_refused_unread(client: FlaskClient, echo: str) -> None:
    answer = client.post(EXECUTE, data=b"{" + b" " * 3_000_000 + b"}", content_type="application/json")
    assert answer.status_code == 413


def test_a_key_replays_the_first_answer(client: FlaskClient, echo: str, web_store: Store, tenant: str) -> None:
    first, again = (
        client.post(EXECUTE, json={"flow_id": echo}, headers={"Idempotency-Key": "order-1"}) for _ in range(2)
    )
    assert "Idempotency-Replayed" not in first.headers
    assert again.headers["Idempotency-Replayed"] == "true"
    assert (again.status_code, again.json, again.headers["Location"]) == (202, first.json, first.headers["Location"])
    assert count(web_store, tenant) == 1


def test_a_key_with_another_body_is_refused(client: FlaskClient, echo: str) -> None:
    client.post(EXECUTE, json={"flow_id": echo}, headers={"Idempotency-Key": "k"})
    answer = client.post(EXECUTE, json={"flow_id": echo, "input_data": {"a": 1}}, headers={"Idempotency-Key": "k"})
    assert answer.status_code == 422
    assert answer.json is not None
    assert answer.json["code"] == "idempotency_mismatch"


def test_a_refused_request_leaves_its_key_free(client: FlaskClient, echo: str) -> None:
    headers = {"Idempotency-Key": "k"}
    assert client.post(EXECUTE, json={"flow_id": "no_such"}, headers=headers).status_code == 404
    assert client.post(EXECUTE, json={"flow_id": echo}, headers=headers).status_code == 202


def test_a_key_is_forgotten_after_a_day(client: FlaskClient, echo: str, engine_store: Store, tenant: str) -> None:
    headers = {"Idempotency-Key": "k"}
    first = client.post(EXECUTE, json={"flow_id": echo}, headers=headers)
    with engine_store.session(None) as session:
        long_ago = func.now() - func.make_interval(0, 0, 0, 1, 0, 1)
        session.execute(update(IdempotencyKeyRow).filter_by(tenant_id=tenant).values(created_at=long_ago))
    second = client.post(EXECUTE, json={"flow_id": echo, "input_data": {"a": 1}}, headers=headers)
    assert second.status_code == 202
    assert first.json is not None
    assert second.json is not None
    assert second.json["execution_id"] != first.json["execution_id"]


def test_old_keys_are_deleted_and_young_ones_kept(
    client: FlaskClient, echo: str, engine_store: Store, tenant: str
) -> None:
    for key in ("old", "older", "young"):
        client.post(EXECUTE, json={"flow_id": echo}, headers={"Idempotency-Key": key})
    with engine_store.session(None) as session:
        long_ago = func.now() - func.make_interval(0, 0, 0, 2)
        old = update(IdempotencyKeyRow).where(IdempotencyKeyRow.tenant_id == tenant, IdempotencyKeyRow.key != "young")
        session.execute(old.values(created_at=long_ago))
    with engine_store.session(None) as session:
        assert idempotency.forget_old(session, limit=1) == 1
        assert idempotency.forget_old(session, limit=100) >= 1
        assert session.scalars(select(IdempotencyKeyRow.key).filter_by(tenant_id=tenant)).all() == ["young"]


def test_a_key_belongs_to_its_tenant(client: FlaskClient, stranger: FlaskClient, echo: str) -> None:
    stranger.post("/api/v1/flows", data=ECHO, content_type="application/yaml")
    headers = {"Idempotency-Key": "k"}
    mine, theirs = (each.post(EXECUTE, json={"flow_id": echo}, headers=headers) for each in (client, stranger))
    assert mine.json is not None
    assert theirs.json is not None
    assert mine.json["execution_id"] != theirs.json["execution_id"]


@pytest.mark.parametrize("key", ["", "x" * 256, "caf\xe9"])
def test_a_malformed_key_is_refused(client: FlaskClient, echo: str, key: str) -> None:
    answer = client.post(EXECUTE, json={"flow_id": echo}, headers={"Idempotency-Key": key})
    assert answer.status_code == 400
    assert answer.json is not None
    assert answer.json["field"] == "Idempotency-Key"


def test_many_requests_with_one_key_at_the_same_moment_start_one_execution(
    client_of: Callable[[str], FlaskClient], api_key: str, echo: str, web_store: Store, tenant: str
) -> None:
    together = threading.Barrier(8)
    answers = []

    def post() -> None:
        mine = client_of(api_key)
        together.wait(10)
        answers.append(mine.post(EXECUTE, json={"flow_id": echo}, headers={"Idempotency-Key": "burst"}))

    threads = [threading.Thread(target=post) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(30)
    assert [answer.status_code for answer in answers] == [202] * 8
    assert len({answer.json["execution_id"] for answer in answers if answer.json}) == 1
    assert sum("Idempotency-Replayed" in answer.headers for answer in answers) == 7
    assert count(web_store, tenant) == 1


@hypothesis_settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    data=st.one_of(
        st.binary(max_size=100),
        st.recursive(
            st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
            lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
            max_leaves=10,
        ).map(lambda value: {"flow_id": "echo_flow", "input_data": value}),
        st.dictionaries(
            st.sampled_from(["flow_id", "version", "input_data", "labels", "correlation_id", "x"]),
            st.none() | st.integers() | st.text() | st.dictionaries(st.text(), st.text() | st.integers()),
        ),
    )
)
def test_no_body_breaks_the_server(client: FlaskClient, echo: str, data: Any) -> None:
    sent = {"data": data, "content_type": "application/json"} if isinstance(data, bytes) else {"json": data}
    answer = client.post(EXECUTE, **sent)
    assert answer.status_code in {202, 400, 404, 422}, answer.text


def test_while_the_disk_is_full_a_start_is_refused_until_later(
    client: FlaskClient, echo: str, tenant: str, servers: Servers, web_store: Store
) -> None:
    request: dict[str, Any] = {"json": {"flow_id": echo, "input_data": {}}, "headers": {"Idempotency-Key": "later"}}
    with full_disk(servers.owner_url, tenant) as free:
        refused = client.post(EXECUTE, **request)
        assert (refused.status_code, refused.json and refused.json["code"]) == (503, "store_unavailable")
        assert int(refused.headers["Retry-After"]) > 0
        free()
        assert client.post(EXECUTE, **request).status_code == 202
    assert count(web_store, tenant) == 1
