"""Tools over the API: registered, shown without what is secret, changed, called, deleted."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from flask.testing import FlaskClient

from aispine.store import tools
from aispine.store.database import Store
from tests.integration.api.conftest import ECHO
from tests.support import service
from tests.support.service import Reply, Service

TOOLS = "/api/v1/tools"
ASK = ECHO.replace("{id: say, type: processor, agent_id: echo@^1,", "{id: say, type: tool, tool_id: mail,")


@pytest.fixture
def mail() -> Iterator[Service]:
    with service.serving() as running:
        running.on("POST", "/send", Reply(body={"id": 7}))
        yield running


def body(answer: Any) -> Any:
    return answer.json


def register(client: FlaskClient, endpoint: str = "https://mail.example.com/send", **values: Any) -> Any:
    return client.post(TOOLS, json={"tool_id": "mail", "endpoint": endpoint, **values})


def test_a_tool_is_registered_shown_and_listed_without_its_secret(
    client: FlaskClient, stranger: FlaskClient, web_store: Store, tenant: str
) -> None:
    answer = register(client, auth_config={"type": "bearer", "token": "tok-en"}, description="Sends mail.")
    assert answer.status_code == 201, answer.text
    assert answer.headers["Location"] == f"{TOOLS}/mail"
    for found in (body(answer), body(client.get(f"{TOOLS}/mail")), body(client.get(TOOLS))["data"][0]):
        assert found["auth_config"] == {"type": "bearer"}
        assert (found["has_secret"], found["method"], found["name"]) == (True, "POST", "mail")
    with web_store.session(tenant) as session:
        row = tools.find(session, tenant, "mail")
        assert row is not None
        assert "tok-en" not in f"{row.definition} {row.credential}"
    assert stranger.get(f"{TOOLS}/mail").status_code == 404
    assert body(stranger.get(TOOLS))["data"] == []


def test_a_second_tool_of_a_name_and_a_wrong_one_are_refused(client: FlaskClient) -> None:
    register(client)
    assert register(client).status_code == 409
    answer = client.post(TOOLS, json={"tool_id": "m", "endpoint": "nowhere", "metod": "GET"})
    assert answer.status_code == 422
    assert body(answer)["code"] == "invalid_tool"
    assert [each["field"] for each in body(answer)["errors"]] == ["metod", "endpoint"]
    assert body(client.get(f"{TOOLS}/mial"))["hint"] == "Did you mean `mail`?"


def test_what_is_left_out_of_a_change_stays(client: FlaskClient, mail: Service) -> None:
    made = body(register(client, f"{mail.url}/send", auth_config={"type": "basic", "username": "a", "password": "p"}))
    changed = body(client.put(f"{TOOLS}/mail", json={"timeout": 5, "auth_config": {"type": "basic", "username": "b"}}))
    assert (changed["timeout"], changed["endpoint"], changed["has_secret"]) == (5, made["endpoint"], True)
    assert changed["updated_at"] > made["updated_at"]
    client.post(f"{TOOLS}/mail/execute", json={})
    assert mail.asked[0].headers["authorization"] == "Basic Yjpw"
    gone = body(client.put(f"{TOOLS}/mail", json={"timeout": None, "auth_config": None}))
    assert (gone["timeout"], gone["auth_config"], gone["has_secret"]) == (None, {"type": "none"}, False)
    assert client.put(f"{TOOLS}/mail", json={"tool_id": "post"}).status_code == 400
    assert client.put(f"{TOOLS}/mail", json={"auth_config": {"type": "bearer"}}).status_code == 422
    assert client.put(f"{TOOLS}/mail", json=[]).status_code == 400


def test_a_tool_is_called_and_tells_how_it_went(client: FlaskClient, mail: Service) -> None:
    register(client, f"{mail.url}/send", input_schema={"type": "object", "required": ["to"]})
    good = client.post(f"{TOOLS}/mail/execute", json={"input_data": {"to": "ada"}})
    assert good.status_code == 200, good.text
    assert (body(good)["status"], body(good)["output"]) == ("success", {"id": 7})
    bad = body(client.post(f"{TOOLS}/mail/execute", json={"input_data": {"cc": "ada"}}))
    assert (bad["status"], bad["error"]["code"]) == ("error", "invalid_input")
    assert client.post(f"{TOOLS}/mail/execute", json={"timeout": 61}).status_code == 422
    assert client.post(f"{TOOLS}/nobody/execute", json={}).status_code == 404


def test_a_flow_with_an_unknown_tool_is_refused_and_a_used_one_is_not_deleted(client: FlaskClient) -> None:
    refused = client.post("/api/v1/flows", data=ASK, content_type="application/yaml")
    assert [(each["code"], each["node"]) for each in body(refused)["errors"]] == [("unknown_tool", "say")]
    register(client)
    assert client.post("/api/v1/flows", data=ASK, content_type="application/yaml").status_code == 201
    started = body(client.post("/api/v1/flows/execute", json={"flow_id": "echo-flow", "input_data": {}}))
    assert client.delete(f"{TOOLS}/mail").status_code == 409
    client.post(f"/api/v1/executions/{started['execution_id']}/cancel")
    assert client.delete(f"{TOOLS}/mail").status_code == 204
    again = client.post("/api/v1/flows/execute", json={"flow_id": "echo-flow", "input_data": {}})
    assert again.status_code == 404
