from __future__ import annotations

import pytest

from aispine.agent.contract import AgentFailure
from aispine.engine import children
from aispine.engine.advance import advance, claim
from aispine.engine.facts import ChildStarted, Finished, Started
from aispine.engine.plans import find
from aispine.engine.terms import Terms
from aispine.store.database import Store
from tests.support.flows import Flows
from tests.support.shapes import flow

TERMS = Terms(owner="test:1:1")


def _begin(store: Store, flows: Flows, execution_id: str, path: str) -> ChildStarted | Finished:
    advance(store, execution_id, [Started()], TERMS)
    (held,) = claim(store, execution_id, [path], TERMS)
    spec = find(store, held.execution.flow_version_id).node(path)
    return children.begin(store, held.execution, held.node, spec)


def test_a_family_of_executions_is_bounded(
    no_workers: None, engine_store: Store, flows: Flows, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(children, "MAX_DESCENDANTS", 2)
    flow_id = flows.deploy(flow("ouroboros", {"id": "again", "type": "subflow", "flow_id": "ouroboros"}))
    execution_id = flows.start(flow_id, announce=False)
    for _ in range(2):
        fact = _begin(engine_store, flows, execution_id, "again")
        assert isinstance(fact, ChildStarted)
        execution_id = fact.child
    refused = _begin(engine_store, flows, execution_id, "again")
    assert isinstance(refused, Finished)
    assert isinstance(refused.outcome, AgentFailure)
    assert "2 executions" in refused.outcome.message


def test_an_attempt_after_a_lost_one_finds_the_child_that_is_there(
    no_workers: None, engine_store: Store, flows: Flows
) -> None:
    flow_id = flows.deploy(flow("narcissus", {"id": "again", "type": "subflow", "flow_id": "narcissus"}))
    execution_id = flows.start(flow_id, announce=False)
    first = _begin(engine_store, flows, execution_id, "again")
    assert isinstance(first, ChildStarted)
    with engine_store.autocommit() as link:
        link.execute(
            "UPDATE node_executions SET status = 'queued', lost_attempts = lost_attempts + 1 WHERE execution_id = %s",
            (execution_id,),
        )
    second = _begin(engine_store, flows, execution_id, "again")
    assert isinstance(second, ChildStarted)
    assert (second.child, second.attempt) == (first.child, 2)
