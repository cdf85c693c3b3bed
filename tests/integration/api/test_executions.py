from __future__ import annotations

from typing import Any

import pytest
from flask.testing import FlaskClient

from aispine.engine.advance import advance
from aispine.engine.facts import Started
from aispine.engine.terms import Terms
from aispine.store.database import Store
from aispine.store.ids import new_id
from aispine.store.models import NodeExecutionRow, NodeLogRow

EXECUTIONS = "/api/v1/executions"


def get(client: FlaskClient, where: str, **query: Any) -> Any:
    answer = client.get(f"{EXECUTIONS}{where}", query_string=query)
    assert answer.status_code == 200, answer.text
    return answer.json


def begin(store: Store, execution_id: str) -> None:
    """What the first message of an execution does."""
    assert advance(store, execution_id, [Started()], Terms(owner="test")) is not None


def test_nodes_that_were_not_reached_are_pending_and_then_skipped(
    client: FlaskClient, execution: str, engine_store: Store
) -> None:
    nodes = get(client, f"/{execution}/results")["data"]
    assert [(node["path"], node["type"], node["status"]) for node in nodes] == [
        ("receive", "input", "pending"),
        ("say", "processor", "pending"),
        ("done", "output", "pending"),
    ]
    begin(engine_store, execution)
    client.post(f"{EXECUTIONS}/{execution}/cancel")
    ended = get(client, f"/{execution}/results")
    assert ended["status"] == "cancelled"
    assert {node["path"]: node["status"] for node in ended["data"]} == {
        "receive": "completed",
        "say": "cancelled",
        "done": "skipped",
    }
    assert ended["data"][0]["output"] == {"amount": 3}


def test_cancelling_is_done_once_and_answered_again_and_again(client: FlaskClient, execution: str) -> None:
    first = client.post(f"{EXECUTIONS}/{execution}/cancel", json={"reason": "a mistake"})
    assert first.status_code == 202
    assert first.json is not None
    assert first.json["status"] == "cancelled"
    assert client.post(f"{EXECUTIONS}/{execution}/cancel").status_code == 202
    events = get(client, f"/{execution}/events")["data"]
    assert [event["type"] for event in events].count("execution.cancelled") == 1
    assert get(client, f"/{execution}")["error"] == {"code": "cancelled", "message": "a mistake"}


@pytest.mark.parametrize("body", [{"reason": 1}, {"raison": "x"}, {"reason": "x" * 1001}])
def test_a_wrong_reason_cancels_nothing(client: FlaskClient, execution: str, body: Any) -> None:
    assert client.post(f"{EXECUTIONS}/{execution}/cancel", json=body).status_code == 422
    assert get(client, f"/{execution}")["status"] == "queued"


def test_an_execution_that_ended_otherwise_cannot_be_cancelled(client: FlaskClient, engine_store: Store) -> None:
    flow = "flow_id: quick\nversion: 1.0.0\nname: Quick\nnodes: [{id: a, type: input}]\n"
    client.post("/api/v1/flows", data=flow, content_type="application/yaml")
    started: Any = client.post("/api/v1/flows/execute", json={"flow_id": "quick"}).json
    begin(engine_store, started["execution_id"])
    assert get(client, f"/{started['execution_id']}")["status"] == "completed"
    answer = client.post(f"{EXECUTIONS}/{started['execution_id']}/cancel")
    assert answer.status_code == 409


def test_executions_are_found_by_status_flow_labels_and_correlation(client: FlaskClient, echo: str) -> None:
    def start(**more: Any) -> str:
        answer: Any = client.post("/api/v1/flows/execute", json={"flow_id": echo, **more}).json
        return str(answer["execution_id"])

    def find(**query: Any) -> list[str]:
        return [each["execution_id"] for each in get(client, "", **query)["data"]]

    plain = start()
    labelled = start(labels={"team": "risk", "stage": "a=b"})
    related = start(labels={"team": "risk"}, correlation_id="order-1")
    assert find() == [related, labelled, plain]
    assert find(label="team=risk") == [related, labelled]
    assert find(label=["team=risk", "stage=a=b"]) == [labelled]
    assert find(label="team=other") == []
    assert find(correlation_id="order-1") == [related]
    client.post(f"{EXECUTIONS}/{plain}/cancel")
    assert find(status="cancelled") == [plain]
    assert find(status=["queued", "cancelled"]) == [related, labelled, plain]
    assert find(flow_id="echo_flow", status="queued") == [related, labelled]
    assert find(flow_id="another") == []
    assert "input" not in get(client, "")["data"][0]


def test_pages_neither_lose_nor_repeat_while_executions_are_added(client: FlaskClient, echo: str) -> None:
    def start() -> str:
        answer: Any = client.post("/api/v1/flows/execute", json={"flow_id": echo}).json
        return str(answer["execution_id"])

    before = [start() for _ in range(5)]
    seen: list[str] = []
    page = get(client, "", limit=2)
    while True:
        seen += [each["execution_id"] for each in page["data"]]
        if page["next_cursor"] is None:
            break
        start()
        page = get(client, "", limit=2, cursor=page["next_cursor"])
    assert seen == before[::-1]


@pytest.mark.parametrize(
    "query",
    [
        "status=done",
        "label=team",
        "label==x",
        "limit=0",
        "cursor=x",
        "cursor=W10",
        "lable=a=b",
        "flow_id=",
        "limit=1&limit=2",
    ],
)
def test_a_wrong_query_is_refused_naming_the_parameter(client: FlaskClient, query: str) -> None:
    answer = client.get(f"{EXECUTIONS}?{query}")
    assert answer.status_code == 400
    assert answer.json is not None
    assert answer.json["field"] == query.partition("=")[0]


@pytest.mark.parametrize("path", ["", "/results", "/events", "/logs", "/stream", "/cancel"])
@pytest.mark.parametrize("execution_id", ["nope", "00000000-0000-7000-8000-000000000000", "%F0%9F%92%A9", "x" * 500])
def test_an_unknown_execution_is_not_found(client: FlaskClient, path: str, execution_id: str) -> None:
    send = client.post if path == "/cancel" else client.get
    answer = send(f"{EXECUTIONS}/{execution_id}{path}")
    assert answer.status_code == 404
    assert answer.json is not None
    assert answer.json["field"] == "execution_id"


def test_events_come_in_pages_by_their_number(client: FlaskClient, execution: str, engine_store: Store) -> None:
    begin(engine_store, execution)
    client.post(f"{EXECUTIONS}/{execution}/cancel")
    every = get(client, f"/{execution}/events")
    assert [event["seq"] for event in every["data"]] == list(range(1, len(every["data"]) + 1))
    assert every["next_cursor"] is None
    first = get(client, f"/{execution}/events", limit=1)
    rest = get(client, f"/{execution}/events", cursor=first["next_cursor"])
    assert first["data"] + rest["data"] == every["data"]
    for wrong in ("-1", "x", "99999999999"):
        assert client.get(f"{EXECUTIONS}/{execution}/events?cursor={wrong}").status_code == 400


def test_metrics_add_up_what_nodes_told_and_pass_over_nonsense(
    client: FlaskClient, execution: str, engine_store: Store, tenant: str
) -> None:
    told = [
        {"tokens_used": 12, "cost_usd": 0.25},
        {"tokens_used": 30},
        {"tokens_used": "many", "cost_usd": None},
        {"tokens_used": -5, "cost_usd": 1e200},
        {"cost_usd": 0.5},
    ]
    with engine_store.session(None) as session:
        for number, metadata in enumerate(told):
            session.add(
                NodeExecutionRow(
                    execution_id=execution,
                    path=f"n{number}",
                    node_id=f"n{number}",
                    tenant_id=tenant,
                    status="completed",
                    metadata_=metadata,
                )
            )
    assert get(client, f"/{execution}")["metrics"] == {"duration_ms": None, "cost_usd": 0.75, "token_usage": 42}
    assert get(client, "")["data"][0]["metrics"]["token_usage"] == 42


def test_logs_are_shown_by_node_and_by_path(
    client: FlaskClient, execution: str, engine_store: Store, tenant: str
) -> None:
    with engine_store.session(None) as session:
        for path, node_id in (("say", "say"), ("pages[1]/ocr", "ocr")):
            row = {"execution_id": execution, "path": path, "tenant_id": tenant}
            session.add(NodeExecutionRow(**row, node_id=node_id, status="completed"))
            session.add_all(NodeLogRow(**row, attempt=attempt, text=f"{path} {attempt}") for attempt in (1, 2))

    def texts(**query: str) -> list[str]:
        return [each["text"] for each in get(client, f"/{execution}/logs", **query)["data"]]

    assert texts() == ["pages[1]/ocr 1", "pages[1]/ocr 2", "say 1", "say 2"]
    assert texts(node="ocr") == ["pages[1]/ocr 1", "pages[1]/ocr 2"]
    assert texts(path="say") == ["say 1", "say 2"]
    assert texts(node="none") == []


def test_an_id_of_another_shape_that_is_a_uuid_is_looked_up(client: FlaskClient, execution: str) -> None:
    assert get(client, f"/{execution.upper()}")["execution_id"] == execution
    assert client.get(f"{EXECUTIONS}/{new_id()}").status_code == 404
