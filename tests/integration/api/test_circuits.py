"""Circuits as people see them: open after failures, of one tenant alone, and closed by a reset."""

from __future__ import annotations

from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient

from aispine.flow.outcome import AgentFailure
from aispine.guards.breaker import FAILURES, Admission, Breaker, agent_name, model_name, tool_name
from aispine.guards.shared import Shared
from api.parts import Parts
from tests.support.agents import HttpAgent

DOWN = AgentFailure(code="unavailable", message="down")


def fail(breaker: Breaker, name: str) -> None:
    for _ in range(FAILURES):
        admitted = breaker.admit(name, 1.0)
        assert isinstance(admitted, Admission)
        breaker.settle(admitted, DOWN)


@pytest.mark.parametrize("kind", ["agents", "tools"])
def test_an_open_circuit_is_shown_and_reset(
    app: Flask, client: FlaskClient, stranger: FlaskClient, http_agent: HttpAgent, tenant: str, kind: str
) -> None:
    callee = {"agents": "remote", "tools": "order"}[kind]
    for each in (client, stranger):
        body = {"tool_id": "order", "endpoint": f"{http_agent.endpoint}/orders"}
        assert each.post("/api/v1/tools", json=body).status_code == 201
    path = f"/api/v1/{kind}/{callee}/circuit"
    closed: dict[str, Any] = {"state": "closed", "failures": 0, "seconds": 0.0}
    assert client.get(path).json == closed
    parts: Parts = app.extensions["aispine"]
    fail(parts.breaker, agent_name(tenant, "remote", "1.0.0") if kind == "agents" else tool_name(tenant, "order"))
    shown = client.get(path).json
    assert shown is not None
    assert (shown["state"], shown["failures"]) == ("open", FAILURES)
    assert 50 < shown["seconds"] <= 60
    theirs = stranger.get(path)
    assert theirs.status_code == 404 or theirs.json == closed
    assert client.delete(path).status_code == 204
    assert client.get(path).json == closed
    assert client.get(f"/api/v1/{kind}/nobody/circuit").status_code == 404


def test_each_model_of_an_agent_has_a_circuit_that_is_shown_and_reset_by_its_place(
    app: Flask, client: FlaskClient, stranger: FlaskClient, http_agent: HttpAgent, tenant: str
) -> None:
    names = [("https://a.example.com/v1", "org/small"), ("https://b.example.com/v1", "org/small")]
    body = {
        "kind": "llm",
        "agent_id": "clerk",
        "version": "1.0.0",
        "models": [{"base_url": url, "model": name} for url, name in names],
    }
    for each in (client, stranger):
        assert each.post("/api/v1/agents", json=body).status_code == 201
    parts: Parts = app.extensions["aispine"]
    fail(parts.breaker, model_name(tenant, *names[1]))
    path = "/api/v1/agents/clerk/models"

    def states(of: FlaskClient) -> list[tuple[int, str, str, str]]:
        data = (of.get(path).json or {})["data"]
        return [(each["place"], each["base_url"], each["model"], each["circuit"]["state"]) for each in data]

    assert states(client) == [(1, *names[0], "closed"), (2, *names[1], "open")]
    assert [state for *_, state in states(stranger)] == ["closed", "closed"]
    assert (client.get(f"{path}/2/circuit").json or {})["failures"] == FAILURES
    assert stranger.delete(f"{path}/2/circuit").status_code == 204
    assert client.delete(f"{path}/1/circuit").status_code == 204
    assert states(client)[1][3] == "open"
    assert client.delete(f"{path}/2/circuit").status_code == 204
    assert [state for *_, state in states(client)] == ["closed", "closed"]
    for place in (0, 3):
        assert client.get(f"{path}/{place}/circuit").status_code == 404
    none = client.get("/api/v1/agents/remote/models")
    assert (none.status_code, (none.json or {})["detail"]) == (
        404,
        "agent remote has no models: it is of the kind http",
    )


def test_without_redis_no_circuit_is_known(app: Flask, client: FlaskClient, http_agent: HttpAgent) -> None:
    app.extensions["aispine"].breaker = Breaker(Shared("redis://127.0.0.1:1/0"))
    assert client.get("/api/v1/agents/remote/circuit").status_code == 503
