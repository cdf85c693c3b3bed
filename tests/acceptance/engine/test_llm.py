"""Llm agents on real workers: what all attempts cost, and an end in the middle of a word."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from aispine import settings
from aispine.agent.llm import registration
from aispine.flow.status import NodeStatus
from aispine.model.standin import Line, StandIn, playing
from aispine.store.database import Store
from aispine.tool import registry as tools
from tests.support import service
from tests.support.calls import audited
from tests.support.flows import Flows
from tests.support.operations import cancel
from tests.support.polling import eventually
from tests.support.service import Reply, Service
from tests.support.shapes import agent, flow
from tests.support.workers import Workers

USAGE = {"prompt_tokens": 100, "completion_tokens": 20}
QUICKLY = {"max_attempts": 3, "initial_delay": 0.05, "jitter": "none"}


@pytest.fixture
def model() -> Iterator[StandIn]:
    with playing() as running:
        yield running


@pytest.fixture
def shop() -> Iterator[Service]:
    with service.serving() as running:
        running.on("POST", "/orders", Reply(body={"state": "sent"}))
        yield running


@pytest.fixture
def clerk(web_store: Store, tenant: str, model: StandIn, shop: Service) -> str:
    """An agent with one model and one tool."""
    models = [{"base_url": model.url, "model": "m", "prices": {"input": 1, "output": 5}}]
    keys: dict[str, Any] = {"agent_id": "clerk", "version": "1.0.0", "kind": "llm", "models": models}
    keys |= {"tools": ["order"], "budget": {"max_tokens": 1000}}
    with web_store.session(tenant) as session:
        tools.create(session, tenant, {"tool_id": "order", "endpoint": f"{shop.url}/orders"}, settings.current())
        registration.register(session, tenant, keys)
    return "clerk"


def test_what_failed_attempts_cost_is_counted_and_tools_have_their_effect_once(
    workers: Workers, flows: Flows, web_store: Store, model: StandIn, shop: Service, clerk: str
) -> None:
    wants = Line(tool_calls=({"name": "order", "arguments": {"id": "A"}},), usage=USAGE)
    model.says(wants, Line(status=503), wants, Line(text="It is on its way.", usage=USAGE))
    seen = flows.run(flow("cost", agent("ask", clerk, retry=QUICKLY)), {"id": "A"})
    assert seen.output == {"message": "It is on its way."}
    node = seen.nodes["ask"]
    assert node.attempts == 2
    assert node.metadata is not None
    assert (node.metadata["tokens_used"], node.metadata["steps"]) == (360, 2)
    assert seen.execution.metrics.token_usage == 360
    assert seen.execution.metrics.cost_usd == pytest.approx((300 + 5 * 60) / 1_000_000)
    assert len({asked.headers["idempotency-key"] for asked in shop.asked}) == 1
    assert len(shop.asked) == 2
    words = [event.data for event in seen.events if event.type == "node.tokens"]
    assert "".join(each["text"] for each in words) == "It is on its way."
    assert {(each["attempt"], each["step"], each["model"]) for each in words} == {(2, 2, "m")}
    made = audited(web_store, flows.tenant_id, seen.execution.execution_id, 8)
    assert [(call.kind, call.attempt, call.outcome, call.tokens) for call in made] == [
        ("agent", 1, "unavailable", 120),
        ("model", 1, "success", 120),
        ("tool", 1, "success", None),
        ("model", 1, "unavailable", None),
        ("agent", 2, "success", 240),
        ("model", 2, "success", 120),
        ("tool", 2, "success", None),
        ("model", 2, "success", 120),
    ]
    assert made[1].cost_usd == pytest.approx(200 / 1_000_000)
    assert {call.host for call in made} == {"127.0.0.1"}


def test_a_budget_that_is_spent_fails_the_node_and_says_so(
    workers: Workers, flows: Flows, model: StandIn, clerk: str
) -> None:
    spent = {"prompt_tokens": 900, "completion_tokens": 90}
    model.says(Line(tool_calls=({"name": "order", "arguments": {}},), usage=spent))
    sorry = {"id": "sorry", "type": "transform", "output": {"why": "${error.code}"}}
    seen = flows.run(flow("poor", agent("ask", clerk, on_error="sorry"), sorry), {"id": "A"})
    assert seen.output == {"why": "budget_exceeded"}
    assert seen.execution.metrics.token_usage == 990


def test_a_cancelled_execution_stops_the_model_in_the_middle_of_a_word(
    workers: Workers, flows: Flows, web_store: Store, model: StandIn, clerk: str
) -> None:
    model.says(Line(text="word " * 600, pace=0.05))
    execution_id = flows.start(flows.deploy(flow("long", agent("ask", clerk, timeout=60))), {})
    eventually(lambda: flows.see(execution_id).count("node.tokens"), 15, "words")
    cancel(web_store, flows.tenant_id, execution_id)
    seen = flows.wait(execution_id)
    assert seen.nodes["ask"].status is NodeStatus.CANCELLED
    eventually(lambda: model.deserted, 10, "the end of the connection")
    after = flows.see(execution_id).events
    assert after[-1].type == "execution.cancelled"
