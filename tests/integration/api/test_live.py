"""An execution on real workers, seen through the API alone."""

from __future__ import annotations

from typing import Any

from flask.testing import FlaskClient

from tests.integration.api.test_stream import events_of, stream
from tests.support.workers import Workers


def test_an_execution_is_followed_to_its_end_and_shows_what_came_of_it(
    client: FlaskClient, echo: str, workers: Workers
) -> None:
    started: Any = client.post("/api/v1/flows/execute", json={"flow_id": echo, "input_data": {"amount": 3}}).json
    execution_id = started["execution_id"]
    seen = events_of(stream(client, execution_id).text)
    assert [event["seq"] for event in seen] == list(range(1, len(seen) + 1))
    assert seen[0]["type"] == "execution.started"
    assert seen[-1]["type"] == "execution.completed"
    assert {event["path"] for event in seen if event["type"] == "node.completed"} == {"receive", "say", "done"}

    shown: Any = client.get(f"/api/v1/executions/{execution_id}").json
    assert (shown["status"], shown["output"], shown["error"]) == ("completed", {"amount": 3}, None)
    assert shown["metrics"]["duration_ms"] >= 0
    assert shown["created_at"] <= shown["started_at"] <= shown["finished_at"]
    results: Any = client.get(f"/api/v1/executions/{execution_id}/results").json
    assert [(node["path"], node["status"]) for node in results["data"]] == [
        ("receive", "completed"),
        ("say", "completed"),
        ("done", "completed"),
    ]
    say = results["data"][1]
    assert (say["attempts"], say["output"]) == (1, {"amount": 3})
    assert stream(client, execution_id, seen[-1]["seq"]).status_code == 204


def test_a_running_execution_is_cancelled_while_it_is_followed(client: FlaskClient, workers: Workers) -> None:
    flow = """
flow_id: slow
version: 1.0.0
name: Slow
nodes:
  - {id: nap, type: processor, agent_id: echo, pool: io, config: {sleep_seconds: 5}}
  - {id: done, type: output, depends_on: [nap]}
"""
    answer = client.post("/api/v1/flows", data=flow, content_type="application/yaml")
    assert answer.status_code == 201, answer.text
    started: Any = client.post("/api/v1/flows/execute", json={"flow_id": "slow"}).json
    execution_id = started["execution_id"]
    live = stream(client, execution_id, whole=False)
    seen = b""
    for chunk in live.response:
        seen += chunk
        if b"node.started" in chunk:
            assert client.post(f"/api/v1/executions/{execution_id}/cancel").status_code == 202
    live.close()
    types = [event["type"] for event in events_of(seen.decode())]
    assert types[-1] == "execution.cancelled"
    assert "node.cancelled" in types
    results: Any = client.get(f"/api/v1/executions/{execution_id}/results").json
    assert [node["status"] for node in results["data"]] == ["cancelled", "skipped"]
