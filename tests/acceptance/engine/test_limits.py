"""Calls over a limit wait their turn as rows, without a worker."""

from __future__ import annotations

import pytest

from aispine.agent import registry
from aispine.engine.limits import of_agent
from aispine.settings import current
from aispine.store.database import Store
from tests.support.agents import HttpAgent
from tests.support.flows import Flows
from tests.support.shapes import agent, flow


def test_calls_over_the_limit_of_an_agent_wait_their_turn_in_order(
    workers: None, flows: Flows, http_agent: HttpAgent, web_store: Store, tenant: str
) -> None:
    with web_store.session(tenant) as session:
        values = {"rate_limit": {"requests_per_minute": 300}}
        limited = registry.update(session, tenant, "remote", values, current()).agent
    assert of_agent(limited) == [["agent:remote:requests_per_minute", 300, 60]]
    items = {"id": "all", "type": "map", "items": "${input.items}", "body": [agent("one", "remote")]}
    seen = flows.run(flow("crowd", items), {"items": list(range(21))})
    assert seen.status == "completed"
    ones = [seen.nodes[f"all[{index}]/one"] for index in range(21)]
    assert {node.attempts for node in ones} == {1}
    # 15 at once, and then one each 0.2 s.
    turns = [node.queued_at.timestamp() for node in ones if node.queued_at]
    assert [later - turns[14] for later in turns[15:]] == pytest.approx([0.2, 0.4, 0.6, 0.8, 1.0, 1.2], abs=0.15)
    assert all(node.started_at >= node.queued_at for node in ones[15:] if node.started_at and node.queued_at)
