from __future__ import annotations

from typing import Any

import pytest
from flask.testing import FlaskClient
from sqlalchemy import select

from aispine.store.database import Store
from aispine.store.models import AgentVersionRow
from tests.support.agents import HttpAgent, serving

AGENTS = "/api/v1/agents"


def get(client: FlaskClient, path: str = "", **query: Any) -> Any:
    answer = client.get(f"{AGENTS}{path}", query_string=query)
    assert answer.status_code == 200, answer.text
    return answer.json


def test_official_agents_are_listed_and_read_only(client: FlaskClient) -> None:
    listed = get(client)["data"]
    echo = next(agent for agent in listed if agent["agent_id"] == "echo")
    assert echo["official"] is True
    assert echo["pool"] == "quick"
    assert get(client, "/echo") == echo
    assert client.put(f"{AGENTS}/echo", json={"name": "mine"}).status_code == 403
    assert client.delete(f"{AGENTS}/echo").status_code == 403
    assert get(client, "/echo/health")["ready"] is True


def test_agents_come_in_pages_and_by_what_they_can_do(client: FlaskClient) -> None:
    every = [agent["agent_id"] for agent in get(client)["data"]]
    assert every == sorted(every)
    first = get(client, limit=1)
    rest = get(client, cursor=first["next_cursor"])
    assert [agent["agent_id"] for agent in first["data"] + rest["data"]] == every
    assert "echo" in [agent["agent_id"] for agent in get(client, capability="echo", kind="python")["data"]]
    assert get(client, kind="http")["data"] == []
    assert get(client, official=False, kind="http")["data"] == []


def test_an_agent_over_http_is_registered_changed_asked_and_deleted(client: FlaskClient) -> None:
    with serving("mine") as agent:
        made = client.post(AGENTS, json={"endpoint": agent.endpoint, "api_key": "its-secret", "name": "Mine"})
        assert made.status_code == 201, made.text
        shown = get(client, "/mine")
        assert made.json == shown
        assert (shown["endpoint"], shown["has_api_key"], shown["pool"]) == (agent.endpoint, True, "io")
        assert "its-secret" not in made.text
        assert shown["created_at"].endswith("Z")
        assert get(client, "/mine/health")["ready"] is True
        changed = client.put(f"{AGENTS}/mine", json={"name": "Still mine"})
        assert changed.status_code == 200, changed.text
        assert get(client, "/mine")["name"] == "Still mine"
    assert client.delete(f"{AGENTS}/mine").status_code == 204
    assert client.get(f"{AGENTS}/mine").status_code == 404


def test_the_health_of_an_agent_that_is_down_says_why(
    client: FlaskClient, http_agent: HttpAgent, engine_store: Store, tenant: str
) -> None:
    with engine_store.session(None) as session:
        row = session.scalars(select(AgentVersionRow).filter_by(tenant_id=tenant)).one()
        row.definition = {**row.definition, "endpoint": "http://127.0.0.1:1"}
    health = get(client, "/remote/health")
    assert health["ready"] is False
    assert health["error"]["code"] == "unavailable"


@pytest.mark.parametrize(
    "body", [{}, {"endpoint": 1}, {"endpoint": "nonsense"}, {"endpoint": "http://127.0.0.1:1"}, {"endpiont": "x"}]
)
def test_what_is_no_agent_is_refused_and_not_stored(client: FlaskClient, body: Any) -> None:
    answer = client.post(AGENTS, json=body)
    assert 400 <= answer.status_code < 500, answer.text
    assert get(client, official=False, kind="http")["data"] == []


def test_an_unknown_agent_is_not_found_with_the_nearest_one(client: FlaskClient) -> None:
    answer = client.get(f"{AGENTS}/ecko")
    assert answer.status_code == 404
    assert answer.json is not None
    assert "echo" in answer.json["hint"]


def test_a_language_model_is_registered_changed_and_kept_apart(client: FlaskClient, stranger: FlaskClient) -> None:
    models = [{"base_url": "https://api.example.com/v1", "model": "m", "api_key": "${secrets.key}"}]
    definition = {"kind": "llm", "agent_id": "clerk", "version": "1.0.0", "models": models, "tools": ["order_state"]}
    made = client.post(AGENTS, json=definition)
    assert made.status_code == 201, made.text
    shown = get(client, "/clerk")
    assert made.json == shown
    assert {**definition, "pool": "io", "official": False}.items() <= shown.items()
    assert [agent["agent_id"] for agent in get(client, kind="llm", official=False)["data"]] == ["clerk"]
    assert client.post(AGENTS, json=definition).status_code == 201
    assert client.post(AGENTS, json={**definition, "prompt": "Hi"}).status_code == 409
    changed = client.put(f"{AGENTS}/clerk", json={"prompt": "Hi", "tools": None})
    assert changed.status_code == 200, changed.text
    assert (get(client, "/clerk")["prompt"], "tools" in get(client, "/clerk")) == ("Hi", False)
    assert get(client, "/clerk/health")["ready"] is True
    assert stranger.get(f"{AGENTS}/clerk").status_code == 404
    plain = client.post(AGENTS, json={**definition, "models": [{**models[0], "api_key": "sk-1"}], "max_steps": 0})
    assert plain.status_code == 422
    assert [error["field"] for error in (plain.json or {})["errors"]] == ["models", "max_steps"]
