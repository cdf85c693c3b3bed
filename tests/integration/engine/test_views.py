"""What people see of an execution that ended early."""

from __future__ import annotations

from aispine.agent.contract import AgentFailure
from aispine.engine.advance import finish
from aispine.store.database import Store
from tests.integration.engine.crew import TERMS, begin, done, fact, take
from tests.support.flows import Flows
from tests.support.shapes import echo, flow


def test_no_node_of_an_ended_execution_is_still_to_come(store: Store, flows: Flows) -> None:
    """Whether one of its sources had ended before makes no difference to a node that never ran."""
    nodes = (echo("a"), echo("b"), echo("touched", "a", "b"), echo("untouched", "touched"))
    execution_id = flows.start(flows.deploy(flow("early", *nodes)), announce=False)
    begin(store, execution_id)
    held = take(store, execution_id, "a")
    done(store, take(store, execution_id, "b"))
    assert flows.see(execution_id).statuses["touched"] == "pending"
    assert flows.see(execution_id).statuses["untouched"] == "pending"
    finish(store, held, fact(held, AgentFailure(code="rejected", message="no")), TERMS)
    seen = flows.see(execution_id)
    assert seen.statuses == {"a": "failed", "b": "completed", "touched": "skipped", "untouched": "skipped"}
