"""Nodes of an agent that is not to be called wait or fail as the flow says; and what calls came to is counted."""

from __future__ import annotations

from typing import Any

from aispine.agent import standing
from aispine.agent.standing import Governor
from aispine.engine import call_figures
from aispine.engine.call_figures import Figures, quantile
from aispine.flow.standing import AgentStatus
from aispine.flow.status import NodeStatus
from aispine.store.database import Store
from tests.support.agents import Answer, HttpAgent
from tests.support.flows import Flows
from tests.support.polling import eventually
from tests.support.workers import Workers

WAITS: dict[str, Any] = {
    "flow_id": "waits",
    "version": "1.0.0",
    "name": "Waits",
    "nodes": [
        {"id": "a", "type": "processor", "agent_id": "remote", "on_unready": "wait", "retry": {"max_attempts": 1}},
        {
            "id": "b",
            "type": "processor",
            "agent_id": "remote",
            "retry": {"max_attempts": 2, "initial_delay": 0.01},
            "on_error": "continue",
        },
    ],
}


def lead(store: Store, tenant: str, after: AgentStatus) -> None:
    with store.session(tenant) as session:
        standing.move(session, Governor(tenant_id=tenant), "remote", after, reason="it lies")


def figures(store: Store, tenant: str) -> Figures | None:
    with store.session(tenant) as session:
        return next(iter(call_figures.show(session, tenant, "remote")), None)


def test_nodes_of_a_suspended_agent_wait_or_fail_and_go_on_when_it_is_active(
    workers: Workers, flows: Flows, http_agent: HttpAgent, web_store: Store, tenant: str
) -> None:
    lead(web_store, tenant, AgentStatus.SUSPENDED)
    started = flows.start(flows.deploy(WAITS))
    waiting = flows.wait_for_node(started, "a", NodeStatus.RETRYING)
    failed = flows.wait_for_node(started, "b", NodeStatus.FAILED)
    for node in (waiting, failed):
        assert node.error is not None
        assert (node.error["code"], node.error["message"]) == ("unavailable", "the agent is suspended: it lies")
    assert failed.attempts == 2
    assert http_agent.calls == []
    lead(web_store, tenant, AgentStatus.ACTIVE)
    seen = flows.wait(started, seconds=40)
    assert seen.status == "completed"
    assert seen.nodes["a"].attempts > 1
    assert [call.node_id for call in http_agent.calls] == ["a"]


def test_calls_are_counted_by_version_and_outcome_with_how_long_they_took(
    workers: Workers, flows: Flows, http_agent: HttpAgent, web_store: Store, engine_store: Store, tenant: str
) -> None:
    http_agent.will("a", Answer(status=503), Answer())
    http_agent.will("b", Answer(status=400))
    nodes = [
        {"id": "a", "type": "processor", "agent_id": "remote", "retry": {"initial_delay": 0.01}},
        {"id": "b", "type": "processor", "agent_id": "remote", "on_error": "continue"},
    ]
    assert flows.run({"flow_id": "counted", "version": "1.0.0", "name": "C", "nodes": nodes}).status == "completed"
    found = eventually(lambda: (f := figures(web_store, tenant)) and f.calls == 3 and f, 15, "the figures")
    assert (found.version, found.succeeded, found.success_rate) == ("1.0.0", 1, 0.3333)
    assert found.errors == {"rejected": 1, "unavailable": 1}
    assert 0 < found.latency.p50 <= found.latency.p95 <= found.latency.max < 10
    with web_store.session("somebody else") as session:
        assert call_figures.agent_metrics.since(session, tenant, "remote", 30) == []


def test_a_call_that_was_accepted_is_counted_when_its_time_is_over(
    workers: Workers, flows: Flows, http_agent: HttpAgent, web_store: Store, tenant: str
) -> None:
    http_agent.will("a", Answer(status=202, body={"status": "accepted", "timeout": 1}))
    node = {"id": "a", "type": "processor", "agent_id": "remote", "on_error": "continue", "retry": {"max_attempts": 1}}
    seen = flows.run({"flow_id": "accepted", "version": "1.0.0", "name": "A", "nodes": [node]})
    assert seen.nodes["a"].error is not None
    assert seen.nodes["a"].error["code"] == "timeout"
    found = eventually(lambda: figures(web_store, tenant), 15, "the figures")
    assert (found.calls, found.errors) == (1, {"timeout": 1})
    assert 0.9 < found.latency.max < 10


def test_a_quantile_lies_inside_its_bucket() -> None:
    assert quantile([10] + [0] * 13, 0.5, 0.008) == 0.004
    assert quantile([1, 0, 1] + [0] * 11, 0.95, 0.07) == 0.068
    assert quantile([0] * 13 + [4], 0.5, 4000.0) == 2900.0
