"""A tenant's own lists of hosts: set by it, held in every call, and none of another's business."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from flask.testing import FlaskClient

from aispine.agent.rounds import Rounds
from aispine.guards import fence
from aispine.settings import current
from aispine.store import agent_health
from aispine.store.database import Store
from tests.support import service
from tests.support.agents import HttpAgent
from tests.support.polling import eventually
from tests.support.service import Reply, Service


@pytest.fixture(autouse=True)
def _at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(fence, "KEPT", 0.0)


@pytest.fixture
def shop() -> Iterator[Service]:
    with service.serving() as running:
        running.on("POST", "/orders", *[Reply(body={"state": "sent"})] * 9)
        yield running


def put(client: FlaskClient, **lists: Any) -> dict[str, Any]:
    answer = client.put("/api/v1/hosts", json=lists)
    assert answer.status_code == 200, answer.text
    assert answer.json is not None
    return answer.json


def order(client: FlaskClient) -> tuple[str, str | None]:
    """What came of a call of the tool, and why it failed."""
    answer = client.post("/api/v1/tools/order/execute", json={"input_data": {}}).json
    assert answer is not None
    return answer["status"], (answer["error"] or {}).get("code")


def test_what_a_tenant_rules_out_is_not_called_for_it_and_is_for_others(
    client: FlaskClient, stranger: FlaskClient, shop: Service
) -> None:
    for each in (client, stranger):
        made = each.post("/api/v1/tools", json={"tool_id": "order", "endpoint": f"{shop.url}/orders"})
        assert made.status_code == 201, made.text
    assert put(client, deny=["127.0.0.0/8"]) == {"allow": [], "deny": ["127.0.0.0/8"]}
    assert order(client) == ("error", "rejected")
    assert order(stranger) == ("success", None)
    assert put(client, allow=["*.Example.com "], deny=[]) == {"allow": ["*.example.com"], "deny": []}
    assert order(client) == ("error", "rejected")
    put(client, allow=["loopback"])
    assert order(client) == ("success", None)
    # What the deployment keeps closed stays so: its own list has no private addresses.
    put(client, allow=["10.0.0.1"])
    assert client.put("/api/v1/tools/order", json={"endpoint": "http://10.0.0.1/"}).status_code == 200
    assert order(client) == ("error", "rejected")
    assert len(shop.asked) == 2
    assert client.get("/api/v1/hosts").json == {"allow": ["10.0.0.1"], "deny": []}


def test_registering_and_checking_an_agent_keep_to_the_lists_too(
    client: FlaskClient, engine_store: Store, http_agent: HttpAgent, tenant: str, no_workers: None
) -> None:
    put(client, deny=["loopback"])
    refused = client.post("/api/v1/agents", json={"endpoint": http_agent.endpoint})
    assert refused.status_code == 422, refused.text
    answer = client.get("/api/v1/agents/remote/health").json
    assert answer is not None
    assert (answer["ready"], answer["error"]["code"]) == (False, "rejected")
    rounds = Rounds(engine_store, current(), every=0.001)

    def told() -> str | None:
        """What a round found; it takes some agents at a time, and other tests have left theirs."""
        rounds.round()
        with engine_store.session(None) as session:
            found = agent_health.of_version(session, tenant, "remote", "1.0.0")
        return None if found is None else found.error

    assert "may not be called" in eventually(told, what="the check")


@pytest.mark.parametrize(
    ("lists", "status"),
    [
        ({"deny": ["http://a.com"]}, 400),
        ({"allow": ["public"]}, 400),
        ({"allow": ["a.com"] * 201}, 400),
        ({"deny": [""]}, 422),
        ({"deny": "a.com"}, 422),
        ({"block": []}, 422),
    ],
)
def test_what_is_no_list_of_hosts_is_refused(client: FlaskClient, lists: Any, status: int) -> None:
    assert client.put("/api/v1/hosts", json=lists).status_code == status
    assert client.get("/api/v1/hosts").json == {"allow": [], "deny": []}
