"""One tenant's rows do not exist for another, through whichever route it asks."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import func, select

from aispine.store import models
from aispine.store.database import Store
from api.routes import routes
from tests.support import telegram
from tests.support.agents import HttpAgent

LISTS = tuple(
    f"/api/v1/{name}"
    for name in (
        "flows",
        "executions",
        "schedules",
        "agents?official=0&kind=http",
        "tools",
        "channels",
        "files",
        "secrets",
    )
)


def own_routes(app: Flask) -> list[tuple[str, str]]:
    """Every method and path about one object that the bearer of a key may ask for."""
    return [
        (method, route.path)
        for route in routes(app)
        if "<" in route.path and route.path.startswith("/api/") and route.access == "key"
        for method in route.methods
    ]


PLATFORM = ("/api/v1/workers",)
"""What is no tenant's own."""
MAKES = ("PUT", "/api/v1/secrets/<name>")
"""What makes an object of the one who asks, whoever else has one of that name."""
BODIES: Mapping[str, Mapping[str, Any]] = {
    "flows": {"data": "x: y", "content_type": "application/yaml"},
    "/status": {"json": {"status": "active"}},
    "agents": {"json": {}},
    "approvals": {"json": {"path": "a", "approved": True}},
    "links": {"json": {"user_id": "1", "fallback_channel_id": "c", "fallback_user_id": "2"}},
    "channels": {"json": {}},
    "tools": {"json": {}},
}
"""What a route is sent, by the word in its path; the first that fits."""


@pytest.fixture
def owned(client: FlaskClient, echo: str, execution: str, http_agent: HttpAgent) -> dict[str, str]:
    """An object of each kind, by the name that the routes have for its id."""
    bot = {"bot_token": telegram.BOT_TOKEN, "secret_token": telegram.SECRET}
    made = {
        "schedule_id": client.post("/api/v1/schedules", json={"flow_id": echo, "every": "1h"}),
        "tool_id": client.post("/api/v1/tools", json={"tool_id": "mail", "endpoint": "https://mail.example"}),
        "channel_id": client.post("/api/v1/channels", json={"kind": "telegram", "flow_id": echo, "credentials": bot}),
        "file_id": client.post("/api/v1/files", data=b"text", query_string={"name": "a.txt"}),
    }
    ids = {name: str(answer.get_json()[name]) for name, answer in made.items()}
    assert client.put("/api/v1/secrets/go", json={"value": "a key of the bank"}).status_code == 200
    return {**ids, "flow_id": echo, "version": "1.0.0", "agent_id": "remote", "execution_id": execution, "name": "go"}


def test_another_tenants_objects_are_nowhere(
    app: Flask, client: FlaskClient, stranger: FlaskClient, owned: dict[str, str]
) -> None:
    asked = [each for each in own_routes(app) if not each[1].startswith(PLATFORM) and each != MAKES]
    assert len(asked) > 40
    for method, rule in asked:
        path = re.sub(r"<(\w+)>", lambda found: owned[found[1]], rule)
        body = next((body for word, body in BODIES.items() if word in path), {})
        answer = stranger.open(path, method=method, **(body if method in {"PUT", "POST"} else {}))
        # A file that is no flow is refused before anybody looks for one.
        expected = {422} if method == "PUT" and "flows" in path else {404}
        assert answer.status_code in expected, (method, path, answer.text)
    for path in LISTS:
        seen: Any = stranger.get(path).json
        assert seen["data"] == [], path
        mine: Any = client.get(path).json
        assert len(mine["data"]) == 1, path
    shown: Any = client.get(f"/api/v1/executions/{owned['execution_id']}").json
    assert shown["status"] == "queued"


def test_another_tenants_flow_cannot_be_executed_nor_its_agent_called(
    stranger: FlaskClient, echo: str, http_agent: HttpAgent
) -> None:
    assert stranger.post("/api/v1/flows/execute", json={"flow_id": echo}).status_code == 404
    flow = "flow_id: f\nversion: 1.0.0\nname: F\nnodes: [{id: a, type: processor, agent_id: remote}]\n"
    answer = stranger.post("/api/v1/flows", data=flow, content_type="application/yaml")
    assert answer.status_code == 422
    assert answer.json is not None
    assert answer.json["errors"][0]["code"] == "unknown_agent"


def test_two_tenants_may_use_the_same_names(client: FlaskClient, stranger: FlaskClient, echo: str) -> None:
    flow = f"flow_id: {echo}\nversion: 1.0.0\nname: Theirs\nnodes: [{{id: a, type: input}}]\n"
    assert stranger.post("/api/v1/flows", data=flow, content_type="application/yaml").status_code == 201
    assert stranger.delete(f"/api/v1/flows/{echo}").status_code == 204
    shown: Any = client.get(f"/api/v1/flows/{echo}").json
    assert shown["name"] == "Echo"


@pytest.mark.parametrize("table", models.Base.metadata.sorted_tables, ids=lambda table: str(table.name))
def test_the_web_login_sees_nothing_until_a_tenant_is_set(web_store: Store, execution: str, table: Any) -> None:
    shared = table.c.tenant_id != models.PLATFORM if table.name in models.SHARED | models.PLATFORM_ONLY else True
    with web_store.session(None) as session:
        assert session.scalar(select(func.count()).select_from(table).where(shared)) == 0


@pytest.mark.parametrize(
    ("header", "says"),
    [
        (None, "missing"),
        ("", "missing"),
        ("Basic eDp5", "Bearer"),
        ("Bearer", "malformed"),
        ("Bearer a b", "not known"),
        ("Bearer \xe9", "malformed"),
        ("Bearer " + "x" * 1000, "malformed"),
        ("Bearer sk_unknown", "not known"),
    ],
)
def test_a_key_that_is_none_is_refused_with_the_reason(app: Flask, header: str | None, says: str) -> None:
    answer = app.test_client().get("/api/v1/flows", headers={} if header is None else {"Authorization": header})
    assert answer.status_code == 401
    assert answer.headers["WWW-Authenticate"] == "Bearer"
    assert answer.json is not None
    assert says in answer.json["detail"]


def test_a_revoked_key_is_refused(client: FlaskClient, engine_store: Store, tenant: str) -> None:
    assert client.get("/api/v1/flows").status_code == 200
    with engine_store.session(None) as session:
        for key in session.scalars(select(models.ApiKey).filter_by(tenant_id=tenant)):
            key.revoked_at = func.now()
    assert client.get("/api/v1/flows").status_code == 401
