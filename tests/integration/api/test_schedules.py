"""Schedules over REST."""

from __future__ import annotations

from typing import Any

import pytest
from flask.testing import FlaskClient

SCHEDULES = "/api/v1/schedules"


@pytest.fixture
def made(client: FlaskClient, echo: str) -> dict[str, Any]:
    given = {"flow_id": "echo_flow", "cron": "0  8 * * *", "timezone": "Europe/Madrid", "input_data": {"amount": 3}}
    answer = client.post(SCHEDULES, json=given)
    assert answer.status_code == 201, answer.text
    assert answer.json is not None
    assert answer.headers["Location"].endswith(f"{SCHEDULES}/{answer.json['schedule_id']}")
    return dict(answer.json)


def test_a_schedule_is_made_and_shown_with_its_next_five_times(client: FlaskClient, made: dict[str, Any]) -> None:
    assert (made["flow_id"], made["origin"], made["cron"]) == ("echo-flow", "api", "0 8 * * *")
    assert (made["every"], made["timezone"], made["input"]) == (None, "Europe/Madrid", {"amount": 3})
    assert (made["paused"], made["firings"], len(made["next_times"])) == (False, [], 5)
    assert made["next_times"][0] == made["next_due_at"]
    assert client.get(f"{SCHEDULES}/{made['schedule_id']}").json == made


def test_a_schedule_is_paused_resumed_and_deleted(client: FlaskClient, made: dict[str, Any]) -> None:
    url = f"{SCHEDULES}/{made['schedule_id']}"
    paused: Any = client.post(f"{url}/pause").json
    assert (paused["paused"], paused["next_due_at"], paused["next_times"]) == (True, None, [])
    resumed: Any = client.post(f"{url}/resume").json
    assert (resumed["paused"], resumed["next_times"]) == (False, made["next_times"])
    assert client.delete(url).status_code == 204
    assert client.get(url).status_code == 404
    assert client.delete(url).status_code == 404


def test_the_list_goes_by_pages_and_by_flow(client: FlaskClient, echo: str) -> None:
    ids = []
    for seconds in (60, "15m", 90.5):
        answer: Any = client.post(SCHEDULES, json={"flow_id": echo, "every": seconds}).json
        ids.append(answer["schedule_id"])
    first: Any = client.get(SCHEDULES, query_string={"limit": 2}).json
    rest: Any = client.get(SCHEDULES, query_string={"limit": 2, "cursor": first["next_cursor"]}).json
    shown = [*first["data"], *rest["data"]]
    assert [row["schedule_id"] for row in shown] == ids
    assert [row["every"] for row in shown] == [60.0, 900.0, 90.5]
    assert rest["next_cursor"] is None
    of_flow: Any = client.get(SCHEDULES, query_string={"flow_id": "echo_flow"}).json
    assert len(of_flow["data"]) == 3
    of_none: Any = client.get(SCHEDULES, query_string={"flow_id": "another"}).json
    assert of_none["data"] == []


def test_the_same_key_makes_one_schedule(client: FlaskClient, echo: str) -> None:
    answers = [
        client.post(SCHEDULES, json={"flow_id": echo, "every": 60}, headers={"Idempotency-Key": "once"})
        for _ in range(2)
    ]
    assert [answer.status_code for answer in answers] == [201, 201]
    assert answers[0].json == answers[1].json
    assert "Idempotency-Replayed" in answers[1].headers


@pytest.mark.parametrize(
    ("given", "status", "field"),
    [
        ({"every": 60}, 422, "flow_id"),
        ({"flow_id": "echo-flow"}, 422, "cron"),
        ({"flow_id": "echo-flow", "cron": "* * * * *", "every": 60}, 422, "cron"),
        ({"flow_id": "echo-flow", "cron": "* * * *"}, 422, "cron"),
        ({"flow_id": "echo-flow", "cron": "0 0 31 2 *"}, 422, "cron"),
        ({"flow_id": "echo-flow", "every": 0.2}, 422, "every"),
        ({"flow_id": "echo-flow", "every": "soon"}, 422, "every"),
        ({"flow_id": "echo-flow", "every": True}, 422, "every"),
        ({"flow_id": "echo-flow", "every": 60, "timezone": "Mars/Olympus"}, 422, "timezone"),
        ({"flow_id": "echo-flow", "every": 60, "input_data": []}, 422, "input_data"),
        ({"flow_id": "echo-flow", "every": 60, "input_data": {"amount": "x"}}, 422, "input.amount"),
        ({"flow_id": "echo-flow", "every": 60, "catchup": True}, 422, "catchup"),
        ({"flow_id": "nobody", "every": 60}, 404, "flow_id"),
    ],
)
def test_a_schedule_that_cannot_be_is_refused_by_its_field(
    client: FlaskClient, echo: str, given: dict[str, Any], status: int, field: str
) -> None:
    answer: Any = client.post(SCHEDULES, json=given)
    assert answer.status_code == status, answer.text
    assert answer.json["field"] == field
    listed: Any = client.get(SCHEDULES).json
    assert listed["data"] == []


@pytest.mark.parametrize("cursor", ["nonsense", "bm9wZQ"])
def test_a_cursor_of_another_kind_is_refused(client: FlaskClient, cursor: str) -> None:
    assert client.get(SCHEDULES, query_string={"cursor": cursor}).status_code == 400


def test_a_flow_file_brings_its_schedule(client: FlaskClient) -> None:
    file = "flow_id: f\nversion: 1.0.0\nname: F\nschedule: {every: 15m}\nnodes: [{id: a, type: input}]\n"
    assert client.post("/api/v1/flows", data=file, content_type="application/yaml").status_code == 201
    listed: Any = client.get(SCHEDULES).json
    assert [(row["flow_id"], row["origin"], row["every"]) for row in listed["data"]] == [("f", "flow", 900.0)]
    assert client.delete("/api/v1/flows/f").status_code == 204
    empty: Any = client.get(SCHEDULES).json
    assert empty["data"] == []


def test_the_executions_of_a_schedule_are_found_by_it(
    client: FlaskClient, made: dict[str, Any], execution: str
) -> None:
    query = {"schedule_id": made["schedule_id"]}
    of_it: Any = client.get("/api/v1/executions", query_string=query).json
    assert of_it["data"] == []
    shown: Any = client.get(f"/api/v1/executions/{execution}").json
    assert shown["schedule_id"] is None
    assert client.get("/api/v1/executions", query_string={"schedule_id": "x"}).status_code == 400
