"""Nodes that call tools: tried again, handled, with the same key over all attempts."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from aispine import settings
from aispine.flow.status import NodeStatus
from aispine.store.database import Store
from aispine.tool import registry
from tests.support import service
from tests.support.flows import Flows
from tests.support.service import Reply, Service
from tests.support.shapes import flow
from tests.support.workers import Workers

QUICKLY = {"max_attempts": 3, "initial_delay": 0.05, "jitter": "none"}


@pytest.fixture
def shop(web_store: Store, tenant: str) -> Iterator[Service]:
    with service.serving() as running, web_store.session(tenant) as session:
        values = {"tool_id": "order", "endpoint": f"{running.url}/orders/{{id}}", "method": "GET"}
        values["auth_config"] = {"type": "bearer", "token": "t0"}
        registry.create(session, tenant, values, settings.current())
        session.commit()
        yield running


def call(node_id: str, value: Any, **keys: Any) -> dict[str, Any]:
    return {"id": node_id, "type": "tool", "tool_id": "order", "input": value, **keys}


def test_a_tool_node_is_tried_again_and_its_output_goes_on(workers: Workers, flows: Flows, shop: Service) -> None:
    shop.on("GET", "/orders/A-1", Reply(status=503), Reply(body={"state": "sent"}))
    shop.on("GET", "/orders/A-2", Reply(status=404, body={"message": "no such order"}))
    seen = flows.run(
        flow(
            "ask-the-shop",
            call("first", {"id": "${input.order}"}, retry=QUICKLY),
            call("second", {"id": "A-2"}, on_error="sorry", depends_on=["first"]),
            {"id": "sorry", "type": "transform", "output": {"said": "${error.code}", "was": "${nodes.first.output}"}},
        ),
        {"order": "A-1"},
    )
    assert seen.output == {"said": "rejected", "was": {"state": "sent"}}
    assert seen.nodes["first"].attempts == 2
    assert seen.nodes["first"].metadata == {"status": 200}
    first = shop.of("/orders/A-1")
    assert {asked.headers["idempotency-key"] for asked in first} == {f"{seen.execution.execution_id}:first"}
    assert [asked.headers["x-aispine-attempt"] for asked in first] == ["1", "2"]
    assert first[0].headers["authorization"] == "Bearer t0"
    assert seen.nodes["second"].status is NodeStatus.FAILED
