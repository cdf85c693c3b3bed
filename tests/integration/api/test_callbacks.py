"""An agent that answers 202: its node waits without a worker, and its callback comes in by the API."""

from __future__ import annotations

from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient

from aispine.flow.status import NodeStatus
from tests.support.agents import Answer, HttpAgent
from tests.support.flows import Flows
from tests.support.shapes import agent, flow

pytestmark = pytest.mark.usefixtures("workers")
ACCEPTED = Answer(status=202, body={"status": "accepted", "timeout": 600})
SUCCESS = {"status": "success", "output": {"data": {"pages": 3}}}


@pytest.fixture
def anybody(app: Any) -> FlaskClient:
    client: FlaskClient = app.test_client()
    return client


def waiting(flows: Flows, agent_: HttpAgent, answer: Answer = ACCEPTED, **keys: Any) -> tuple[str, str]:
    """The execution and the path of the callback of a node that waits for it."""
    agent_.will("a", answer)
    execution_id = flows.start(flows.deploy(flow("scans", agent("a", "remote", **keys))), {})
    flows.wait_for_node(execution_id, "a", NodeStatus.WAITING)
    return execution_id, agent_.calls[-1].headers["X-AISpine-Callback"].removeprefix("http://spine.test")


def test_the_answer_is_posted_to_a_url_that_is_good_once(
    flows: Flows, http_agent: HttpAgent, client: FlaskClient, anybody: FlaskClient, app: Flask
) -> None:
    execution_id, url = waiting(flows, http_agent)
    (node,) = client.get(f"/api/v1/executions/{execution_id}/results").json["data"]  # type: ignore[index]  # Results.
    assert (node["waiting_for"]["kind"], node["reason"].split(" until ")[0]) == (
        "callback",
        "attempt 1 was accepted by the agent, which calls back",
    )
    for wrong in ({"status": "success"}, {"status": "maybe"}, {**SUCCESS, "execution_id": "another"}):
        assert anybody.post(url, json=wrong).status_code == 422
    assert anybody.post(url, data=b"{", content_type="application/json").status_code == 400
    assert anybody.post(f"{url}x", json=SUCCESS).status_code == 404
    answer = anybody.post(url, json=SUCCESS)
    assert (answer.status_code, answer.json["status"]) == (200, "completed")  # type: ignore[index]  # An object.
    assert flows.wait(execution_id).output == {"pages": 3}
    assert anybody.post(url, json=SUCCESS).status_code == 409
    app.extensions["aispine"].meter.flush()
    (counted,) = client.get("/api/v1/agents/remote/metrics").json["versions"]  # type: ignore[index]  # An object.
    assert (counted["version"], counted["calls"], counted["succeeded"], counted["errors"]) == ("1.0.0", 1, 1, {})


def test_a_callback_that_comes_late_is_gone(flows: Flows, http_agent: HttpAgent, anybody: FlaskClient) -> None:
    execution_id, url = waiting(flows, http_agent, timeout=0.8, retry={"max_attempts": 1})
    seen = flows.wait(execution_id)
    assert seen.nodes["a"].error is not None
    assert seen.nodes["a"].error["code"] == "timeout"
    assert anybody.post(url, json=SUCCESS).status_code == 410
