"""Operations on executions through the API, no worker needed: waits and approvals hold none."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from flask.testing import FlaskClient

from aispine.store.database import Store
from aispine.store.ids import new_id
from tests.integration.api.test_executions import EXECUTIONS, begin, get

ASKING = """
flow_id: asking
version: 1.0.0
name: Asking
input_schema: {type: object, properties: {amount: {type: number}}}
nodes:
  - {id: receive, type: input}
  - id: ask
    type: approval
    name: Ask the boss
    depends_on: [receive]
    timeout: 1h
    form: {type: object, properties: {limit: {type: number}}, required: [limit], additionalProperties: false}
  - {id: paid, type: wait, signal: payment, depends_on: [ask]}
  - {id: done, type: output, depends_on: [paid]}
"""
FAILING = """
flow_id: failing
version: 1.0.0
name: Failing
nodes:
  - {id: receive, type: input}
  - {id: sum, type: transform, depends_on: [receive], output: "${sum(input.amounts)}"}
  - {id: done, type: output, depends_on: [sum]}
"""

Starter = Callable[[str, Any], str]


@pytest.fixture
def start(client: FlaskClient, engine_store: Store) -> Starter:
    """Deploys a flow and starts an execution up to where it waits or ends; returns its id."""

    def make(flow: str, data: Any) -> str:
        deployed: Any = client.post("/api/v1/flows", data=flow, content_type="application/yaml").json
        started = client.post("/api/v1/flows/execute", json={"flow_id": deployed["flow_id"], "input_data": data})
        assert started.status_code == 202, started.text
        execution_id = str(started.json["execution_id"]) if started.json else ""
        begin(engine_store, execution_id)
        return execution_id

    return make


@pytest.fixture
def asking(start: Starter) -> str:
    return start(ASKING, {"amount": 7})


def do(client: FlaskClient, execution_id: str, what: str, body: Any = None, *, status: int = 202) -> Any:
    options = {} if body is None else {"json": body}
    answer = client.post(f"{EXECUTIONS}/{execution_id}/{what}", **options)
    assert answer.status_code == status, answer.text
    return answer.json


def types(client: FlaskClient, execution_id: str) -> list[str]:
    return [event["type"] for event in get(client, f"/{execution_id}/events")["data"]]


def waiting(client: FlaskClient, **query: Any) -> Any:
    answer = client.get("/api/v1/approvals", query_string=query)
    assert answer.status_code == 200, answer.text
    return answer.json


def nodes(client: FlaskClient, execution_id: str) -> dict[str, Any]:
    return {node["path"]: node for node in get(client, f"/{execution_id}/results")["data"]}


def test_an_approval_is_listed_with_what_a_person_needs_until_it_is_answered(client: FlaskClient, asking: str) -> None:
    (listed,) = waiting(client)["data"]
    assert (listed["execution_id"], listed["flow_id"], listed["path"], listed["name"]) == (
        asking,
        "asking",
        "ask",
        "Ask the boss",
    )
    assert listed["input"] == {"amount": 7}
    assert listed["form"]["required"] == ["limit"]
    assert listed["waiting_since"] < listed["due_at"]
    assert nodes(client, asking)["ask"]["waiting_for"]["kind"] == "approval"
    do(client, asking, "approvals", {"path": "ask", "approved": True, "limit": 5, "comment": "fine"})
    assert waiting(client)["data"] == []
    answered = nodes(client, asking)
    assert answered["ask"]["output"] == {"approved": True, "limit": 5, "comment": "fine", "by": "test"}
    waits = answered["paid"]["waiting_for"]
    assert (waits["kind"], waits["name"], waits["execution_id"], waits["due_at"]) == ("signal", "payment", None, None)


def test_approvals_come_in_pages_and_by_execution(client: FlaskClient, start: Starter) -> None:
    made = [start(ASKING, {}) for _ in range(3)]
    seen: list[str] = []
    page = waiting(client, limit=2)
    seen += [each["execution_id"] for each in page["data"]]
    page = waiting(client, limit=2, cursor=page["next_cursor"])
    seen += [each["execution_id"] for each in page["data"]]
    assert seen == made
    assert page["next_cursor"] is None
    only = waiting(client, execution_id=made[1])["data"]
    assert [each["execution_id"] for each in only] == [made[1]]
    assert waiting(client, execution_id="nope")["data"] == []
    assert client.get("/api/v1/approvals?cursor=x").status_code == 400


@pytest.mark.parametrize(
    ("answer", "status", "field"),
    [
        ({"path": "ask", "limit": 5}, 422, "approved"),
        ({"approved": True, "limit": 5}, 422, "path"),
        ({"path": "ask", "approved": "yes", "limit": 5}, 422, "approved"),
        ({"path": "ask", "approved": True}, 422, "answer"),
        ({"path": "ask", "approved": True, "limit": "much"}, 422, "answer.limit"),
        ({"path": "ask", "approved": True, "limit": 5, "limti": 6}, 422, "answer"),
        ({"path": "asks", "approved": True, "limit": 5}, 404, "path"),
        ({"path": "ask[0]/x", "approved": True, "limit": 5}, 404, "path"),
        ({"path": "receive", "approved": True}, 409, "path"),
    ],
)
def test_a_wrong_answer_is_refused_and_changes_nothing(
    client: FlaskClient, asking: str, answer: Any, status: int, field: str
) -> None:
    before = types(client, asking)
    assert do(client, asking, "approvals", answer, status=status)["field"] == field
    assert types(client, asking) == before


def test_an_approval_is_answered_once(client: FlaskClient, asking: str) -> None:
    answer = {"path": "ask", "approved": False, "limit": 0}
    do(client, asking, "approvals", answer)
    before = types(client, asking)
    do(client, asking, "approvals", answer, status=409)
    assert types(client, asking) == before


@pytest.mark.parametrize("payload", [None, 5, "text", [1], {"amount": 5}])
def test_a_signal_ends_the_wait_for_it_with_its_payload(client: FlaskClient, asking: str, payload: Any) -> None:
    do(client, asking, "approvals", {"path": "ask", "approved": True, "limit": 1})
    ended = do(client, asking, "signals/payment", payload)
    assert (ended["status"], ended["output"]) == ("completed", payload)


def test_an_early_signal_is_kept_for_the_node_that_will_wait_for_it(client: FlaskClient, asking: str) -> None:
    do(client, asking, "signals/payment", {"amount": 7})
    do(client, asking, "signals/other", {})
    ended = do(client, asking, "approvals", {"path": "ask", "approved": True, "limit": 1})
    assert (ended["status"], ended["output"]) == ("completed", {"amount": 7})


def test_a_paused_execution_stands_still_until_it_is_resumed(client: FlaskClient, asking: str) -> None:
    paused = do(client, asking, "pause")
    assert (paused["status"], paused["paused_at"] is None) == ("paused", False)
    assert do(client, asking, "pause")["paused_at"] == paused["paused_at"]
    assert nodes(client, asking)["ask"]["waiting_for"]["due_at"] is None
    resumed = do(client, asking, "resume")
    assert (resumed["status"], resumed["paused_at"]) == ("waiting", None)
    do(client, asking, "resume")
    assert nodes(client, asking)["ask"]["waiting_for"]["due_at"] is not None
    assert [type_ for type_ in types(client, asking) if type_.startswith("execution.")] == [
        "execution.started",
        "execution.paused",
        "execution.resumed",
    ]


def test_the_log_says_who_did_it(client: FlaskClient, asking: str) -> None:
    for what, body in (("pause", None), ("resume", None), ("signals/payment", 1), ("cancel", None), ("retry", None)):
        do(client, asking, what, body)
    done = {"execution.paused", "execution.resumed", "signal.received", "execution.cancelled", "execution.retried"}
    events = [event for event in get(client, f"/{asking}/events")["data"] if event["type"] in done]
    assert {event["type"]: event["data"]["by"] for event in events} == dict.fromkeys(done, "test")


def test_a_failed_execution_is_retried_and_a_completed_one_is_not(client: FlaskClient, start: Starter) -> None:
    failed = start(FAILING, {"amounts": "many"})
    assert get(client, f"/{failed}")["status"] == "failed"
    do(client, failed, "retry")
    assert types(client, failed).count("node.completed") == 1
    assert types(client, failed).count("execution.failed") == 2
    completed = start(FAILING, {"amounts": [1, 2]})
    before = types(client, completed)
    do(client, completed, "retry", status=409)
    assert types(client, completed) == before


@pytest.mark.parametrize(
    ("what", "body"), [("pause", None), ("resume", None), ("cancel", None), ("signals/payment", {"a": 1})]
)
def test_what_has_ended_cannot_be_operated_on(client: FlaskClient, start: Starter, what: str, body: Any) -> None:
    completed = start(FAILING, {"amounts": [1]})
    before = types(client, completed)
    do(client, completed, what, body, status=409)
    assert types(client, completed) == before


@pytest.mark.parametrize("what", ["pause", "resume", "retry", "rerun", "signals/x", "approvals"])
@pytest.mark.parametrize("execution_id", ["nope", "00000000-0000-7000-8000-000000000000"])
def test_an_unknown_execution_is_not_found(client: FlaskClient, what: str, execution_id: str) -> None:
    body = {"path": "ask", "approved": True} if what == "approvals" else {}
    assert do(client, execution_id, what, body, status=404)["field"] == "execution_id"


@pytest.mark.parametrize("what", ["pause", "resume", "retry", "rerun", "cancel", "signals/x", "approvals"])
def test_another_tenant_can_do_nothing(client: FlaskClient, stranger: FlaskClient, asking: str, what: str) -> None:
    body = {"path": "ask", "approved": True, "limit": 1} if what == "approvals" else {}
    do(stranger, asking, what, body, status=404)
    assert waiting(stranger)["data"] == []
    assert types(client, asking)[-1] == "node.waiting"


def test_a_rerun_is_a_new_execution_with_the_same_or_another_input(
    client: FlaskClient, start: Starter, engine_store: Store
) -> None:
    failed = start(FAILING, {"amounts": "many"})
    again = do(client, failed, "rerun")
    assert (again["status"], again["rerun_of"], again["input"]) == ("queued", failed, {"amounts": "many"})
    mended = do(client, failed, "rerun", {"input_data": {"amounts": [1, 2]}})
    begin(engine_store, mended["execution_id"])
    shown = get(client, f"/{mended['execution_id']}")
    assert (shown["status"], shown["output"], shown["rerun_of"]) == ("completed", 3, failed)
    assert get(client, f"/{failed}")["rerun_of"] is None


def test_a_rerun_from_a_node_keeps_what_came_before_it(
    client: FlaskClient, start: Starter, engine_store: Store
) -> None:
    failed = start(FAILING, {"amounts": "many"})
    mended = do(client, failed, "rerun", {"from_node": "sum", "input_data": {"amounts": [4, 5]}})["execution_id"]
    begin(engine_store, mended)
    assert get(client, f"/{mended}")["output"] == 9
    assert nodes(client, mended)["receive"]["output"] == {"amounts": "many"}
    assert "receive" not in {event["path"] for event in get(client, f"/{mended}/events")["data"]}


def test_a_rerun_is_started_once_for_each_key(client: FlaskClient, start: Starter) -> None:
    failed = start(FAILING, {"amounts": "many"})
    headers = {"Idempotency-Key": new_id()}
    first, second = (client.post(f"{EXECUTIONS}/{failed}/rerun", json={}, headers=headers) for _ in range(2))
    assert first.json == second.json
    assert second.headers["Idempotency-Replayed"] == "true"
    other = client.post(f"{EXECUTIONS}/{failed}/rerun", json={"from_node": "sum"}, headers=headers)
    assert other.status_code == 422


@pytest.mark.parametrize(
    ("body", "status", "field"),
    [
        ({"from_node": "nope"}, 422, "from_node"),
        ({"from_node": 1}, 422, "from_node"),
        ({"from": "ask"}, 422, "from"),
        ({"input_data": [1]}, 422, "input_data"),
        ({"input_data": {"amount": "much"}}, 422, "input.amount"),
    ],
)
def test_a_wrong_rerun_starts_nothing(client: FlaskClient, asking: str, body: Any, status: int, field: str) -> None:
    do(client, asking, "cancel")
    assert do(client, asking, "rerun", body, status=status)["field"] == field
    assert len(get(client, "")["data"]) == 1


def test_an_execution_that_goes_on_is_run_again_from_the_start_alone(client: FlaskClient, asking: str) -> None:
    do(client, asking, "rerun", {"from_node": "ask"}, status=409)
    assert do(client, asking, "rerun")["rerun_of"] == asking


def test_executions_are_found_by_their_parent(client: FlaskClient, asking: str) -> None:
    assert get(client, "", parent=new_id())["data"] == []
    assert client.get(f"{EXECUTIONS}?parent=nope").status_code == 400
