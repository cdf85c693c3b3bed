"""How versions of agents stand: who may change that, what flows find, and what agents are searched by."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import pytest
from flask.testing import FlaskClient
from sqlalchemy import insert, select, update
from sqlalchemy.exc import DBAPIError

from aispine.agent import registry
from aispine.errors import NotFound
from aispine.flow.standing import TRANSITIONS, Actor, AgentStatus
from aispine.store import api_keys
from aispine.store.database import Store
from aispine.store.models import PLATFORM, AgentVersionRow

AGENTS = "/api/v1/agents"
MODELS = [{"base_url": "https://api.example.com/v1", "model": "m"}]


@pytest.fixture
def governor(client_of: Callable[[str], FlaskClient], engine_store: Store, tenant: str) -> FlaskClient:
    """A client of the same tenant whose key speaks for the platform."""
    with engine_store.session(None) as session:
        return client_of(api_keys.create(session, tenant, name="governor", permissions=[api_keys.GOVERN]))


@pytest.fixture
def awake(engine_store: Store) -> Iterator[None]:
    """The platform's agents are there for all tests."""
    yield
    with engine_store.session(None) as session:
        values = {"status": "active", "status_by": None, "deprecated_at": None, "deprecation": None}
        session.execute(update(AgentVersionRow).where(AgentVersionRow.tenant_id == PLATFORM).values(**values))


def register(client: FlaskClient, version: str = "1.0.0", **values: Any) -> Any:
    definition = {"kind": "llm", "agent_id": "clerk", "version": version, "models": MODELS, **values}
    answer = client.post(AGENTS, json=definition)
    assert answer.status_code == 201, answer.text
    return answer.json


def post(client: FlaskClient, verb: str, agent_id: str = "clerk", **body: Any) -> tuple[int, Any]:
    answer = client.post(f"{AGENTS}/{agent_id}/{verb}", json=body)
    return answer.status_code, answer.json


def listed(client: FlaskClient, **query: Any) -> list[str]:
    answer = client.get(AGENTS, query_string=query)
    assert answer.status_code == 200, answer.text
    return [agent["agent_id"] for agent in (answer.json or {})["data"]]


def stands(client: FlaskClient, agent_id: str = "clerk") -> dict[str, str]:
    versions: Any = client.get(f"{AGENTS}/{agent_id}/versions").json
    return {each["version"]: each["status"] for each in versions["data"]}


def chosen(web_store: Store, tenant: str, range_: str = "*") -> str:
    with web_store.session(tenant) as session:
        return registry.resolve(session, tenant, "clerk", range_).version


def test_a_suspended_version_gives_way_to_an_active_one_and_is_found_when_it_is_the_last(
    client: FlaskClient, web_store: Store, tenant: str
) -> None:
    register(client)
    register(client, "1.1.0")
    assert chosen(web_store, tenant, "^1.0") == "1.1.0"
    status, moved = post(client, "suspend", version="1.1.0", reason="it invents prices")
    assert status == 200
    assert [(each["version"], each["status"], each["status_by"]) for each in moved["data"]] == [
        ("1.1.0", "suspended", "owner")
    ]
    assert post(client, "suspend", version="1.1.0")[0] == 200
    assert (chosen(web_store, tenant, "^1.0"), chosen(web_store, tenant, "~1.1")) == ("1.0.0", "1.1.0")
    with web_store.session(tenant) as session:
        standing = registry.stands(session, tenant, "clerk", "1.1.0")
    assert standing.objection == "the agent is suspended: it invents prices"
    assert post(client, "suspend")[0] == 200
    assert stands(client) == {"1.1.0": "suspended", "1.0.0": "suspended"}
    shown: Any = client.get(f"{AGENTS}/clerk").json
    assert (shown["version"], shown["status"], shown["status_reason"]) == (
        "1.1.0", "suspended", "it invents prices",
    )  # fmt: skip
    assert (listed(client, status="suspended"), listed(client, status="active", kind="llm", type="private")) == (
        ["clerk"],
        [],
    )
    assert post(client, "activate")[0] == 200
    assert stands(client) == {"1.1.0": "active", "1.0.0": "active"}


def test_of_versions_that_fit_one_that_is_not_deprecated_is_chosen(
    client: FlaskClient, web_store: Store, tenant: str
) -> None:
    register(client)
    register(client, "1.1.0")
    register(client, "2.0.0")
    assert post(client, "deprecate", version="2.0.0", reason="use 1.x")[0] == 200
    assert post(client, "deprecate", version="1.1.0")[0] == 200
    assert [chosen(web_store, tenant, range_) for range_ in ("*", "^1.0", ">=1.1 <2", "2")] == [
        "1.0.0", "1.0.0", "1.1.0", "2.0.0",
    ]  # fmt: skip
    shown: Any = client.get(f"{AGENTS}/clerk").json
    assert (shown["version"], shown["deprecated"], shown["deprecation"]) == ("2.0.0", True, "use 1.x")
    assert post(client, "deprecate", deprecated=False)[0] == 200
    assert chosen(web_store, tenant) == "2.0.0"


def test_a_flow_that_is_deployed_or_checked_is_warned_of_what_its_agents_say(client: FlaskClient) -> None:
    register(client)
    flow = "flow_id: warned\nversion: 1.0.0\nname: W\nnodes:\n  - {id: a, type: processor, agent_id: clerk@^1}\n"
    deployed: Any = client.post("/api/v1/flows", data=flow, content_type="application/yaml").json
    assert deployed["warnings"] == []
    assert post(client, "deprecate", reason="use ^2")[0] == 200
    assert post(client, "suspend")[0] == 200
    deployed = client.post("/api/v1/flows", data=flow, content_type="application/yaml").json
    assert [(each["code"], each["node"], each["line"]) for each in deployed["warnings"]] == [
        ("deprecated_agent", "a", 5),
        ("agent_not_called", "a", 5),
    ]
    assert "use ^2" in deployed["warnings"][0]["message"]
    checked: Any = client.post("/api/v1/flows/validate", data=flow, content_type="application/yaml").json
    assert (checked["valid"], checked["warnings"]) == (True, deployed["warnings"])


def test_a_draft_is_found_by_nobody_until_it_is_activated(client: FlaskClient, web_store: Store, tenant: str) -> None:
    made = register(client, status="draft")
    assert made["status"] == "draft"
    with pytest.raises(NotFound):
        chosen(web_store, tenant)
    assert "clerk" in listed(client, status="draft")
    assert post(client, "suspend")[0] == 409
    assert post(client, "activate")[0] == 200
    assert chosen(web_store, tenant) == "1.0.0"
    answer = client.post(AGENTS, json={"kind": "llm", "agent_id": "b", "version": "1.0.0", "status": "verified"})
    assert (answer.status_code, (answer.json or {})["field"]) == (400, "status")


def test_a_version_is_handed_in_tested_and_verified_and_other_content_is_a_draft_again(
    client: FlaskClient, governor: FlaskClient, stranger: FlaskClient
) -> None:
    register(client, status="draft")
    assert post(client, "status", status="pending")[0] == 200
    assert post(client, "status", status="testing")[0] == 403
    assert post(client, "status", status="verified")[0] == 409
    assert post(stranger, "status", status="testing")[0] == 404
    assert post(governor, "status", status="testing")[0] == 200
    status, moved = post(governor, "status", status="verified", reason="all samples passed")
    assert status == 200
    assert (moved["data"][0]["type"], moved["data"][0]["status_by"]) == ("verified", "platform")
    assert client.put(f"{AGENTS}/clerk", json={"prompt": "Hi"}).status_code == 200
    shown: Any = client.get(f"{AGENTS}/clerk").json
    assert (shown["status"], shown["type"]) == ("draft", "private")


def test_the_platform_governs_everybodys_agents_and_what_it_suspends_only_it_wakes(
    client: FlaskClient, stranger: FlaskClient, engine_store: Store, tenant: str, governor: FlaskClient
) -> None:
    register(stranger)
    with engine_store.session(None) as session:
        owner = session.scalars(
            select(AgentVersionRow.tenant_id).filter_by(agent_id="clerk").where(AgentVersionRow.tenant_id != tenant)
            .order_by(AgentVersionRow.agent_version_id.desc())
        ).first()  # fmt: skip
    assert post(client, "suspend", tenant_id=owner)[0] == 403
    assert post(governor, "suspend")[0] == 404
    assert post(governor, "suspend", tenant_id=owner, reason="abuse")[0] == 200
    assert stands(stranger) == {"1.0.0": "suspended"}
    assert post(stranger, "activate")[0] == 403
    assert post(governor, "activate", tenant_id=owner)[0] == 200
    assert post(stranger, "suspend")[0] == 200
    assert post(stranger, "activate")[0] == 200


def test_an_official_agent_is_changed_by_who_governs_agents_alone(
    client: FlaskClient, governor: FlaskClient, stranger: FlaskClient, awake: None, web_store: Store, tenant: str
) -> None:
    for asks in (client, stranger):
        assert post(asks, "suspend", "echo")[0] == 403
        assert post(asks, "deprecate", "echo")[0] == 403
    with web_store.session(tenant) as session:
        session.execute(update(AgentVersionRow).where(AgentVersionRow.agent_id == "echo").values(status="draft"))
    assert stands(client, "echo") == {"1.0.0": "active"}
    row = {"tenant_id": PLATFORM, "agent_id": "echo", "version": "9.9.9", "kind": "python", "pool": "cpu"}
    with pytest.raises(DBAPIError, match="row-level security"), web_store.session(tenant) as session:
        session.execute(insert(AgentVersionRow).values(**row, definition={}, content_hash=""))
    assert post(governor, "suspend", "echo")[0] == 200
    assert stands(stranger, "echo") == {"1.0.0": "suspended"}
    assert post(governor, "activate", "echo")[0] == 200
    assert stands(stranger, "echo") == {"1.0.0": "active"}


def test_agents_are_found_by_words_stems_capabilities_and_filters_the_best_first(client: FlaskClient) -> None:
    texts = {
        "invoice_reader": ("Reads invoices of suppliers.", ["documents.read"]),
        "clerk": ("Answers questions, also about an invoice.", ["answer"]),
        "greeter": ("Saluda a los huéspedes.", ["answer"]),
    }
    for agent_id, (description, capabilities) in texts.items():
        register(client, agent_id=agent_id, description=description, capabilities=capabilities)
    own = {"type": "private", "kind": "llm"}
    assert listed(client, q="invoices", **own) == ["invoice_reader", "clerk"]
    assert listed(client, q="reading", **own) == ["invoice_reader"]
    assert listed(client, q="huéspedes", **own) == ["greeter"]
    assert listed(client, q="documents", **own) == ["invoice_reader"]
    assert listed(client, q="invoice -supplier", **own) == ["clerk"]
    assert listed(client, q="nothing of that", **own) == []
    assert listed(client, q="'&|!(:*", **own) == []
    assert listed(client, capability=["answer"], **own) == ["clerk", "greeter"]
    assert "echo" in listed(client, type="official", q="echo")
    first: Any = client.get(AGENTS, query_string={"q": "invoices", "limit": 1, **own}).json
    assert [first["data"][0]["agent_id"], *listed(client, q="invoices", cursor=first["next_cursor"], **own)] == [
        "invoice_reader",
        "clerk",
    ]
    assert client.get(AGENTS, query_string={"cursor": "WyJ4Il0"}).status_code == 400


def test_every_status_is_reached_and_left_and_none_by_nobody() -> None:
    reached = {AgentStatus.DRAFT, AgentStatus.ACTIVE}
    for _ in AgentStatus:
        reached |= {after for before in reached for after in TRANSITIONS[before]}
    assert reached == set(AgentStatus) == set(TRANSITIONS)
    assert all(who for ways in TRANSITIONS.values() for who in ways.values())
    assert TRANSITIONS[AgentStatus.TESTING][AgentStatus.VERIFIED] == {Actor.PLATFORM}
