"""What people see of an execution: nodes in bodies, and those of one that ended early."""

from __future__ import annotations

from aispine.agent.contract import AgentFailure
from aispine.store.database import Store
from tests.integration.engine.crew import TERMS, begin, done, fact, finish, take
from tests.support.flows import Flows
from tests.support.shapes import echo, flow

NEVER = "the execution ended before it"


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
    told = {path: node.reason for path, node in seen.nodes.items()}
    assert told == {"a": None, "b": None, "touched": NEVER, "untouched": NEVER}


def test_every_open_node_says_why_it_does_not_run(store: Store, flows: Flows) -> None:
    nodes = (echo("a"), echo("b"), echo("touched", "a", "b"), {"id": "ask", "type": "approval", "depends_on": []})
    execution_id = flows.start(flows.deploy(flow("why", *nodes)), announce=False)
    assert flows.see(execution_id).nodes["touched"].reason == "the execution has not been started yet"
    begin(store, execution_id)
    done(store, take(store, execution_id, "b"))
    reasons = {path: node.reason or "" for path, node in flows.see(execution_id).nodes.items()}
    assert reasons["a"].startswith("queued 0 s in `engine`")
    assert reasons["b"] == ""
    assert reasons["touched"] == "waits for `a`"
    assert reasons["ask"].startswith("approval pending since ")
    take(store, execution_id, "a")
    assert (flows.see(execution_id).nodes["a"].reason or "").startswith("on crew (pid 1) since ")


def test_nodes_in_bodies_stand_below_their_containers_in_the_order_of_the_flow(store: Store, flows: Flows) -> None:
    step = {"id": "step", "type": "transform", "output": "${item}"}
    again = {
        "id": "poll",
        "type": "loop",
        "depends_on": ["step"],
        "max_iterations": 2,
        "body": [{"id": "look", "type": "transform"}],
    }
    pages = {"id": "pages", "type": "map", "items": "input.pages", "body": [step, again]}
    sides = {
        "zeta": [{"id": "z", "type": "transform"}],
        "alpha": [{"id": "a", "type": "wait", "signal": "go", "timeout": 60}],
    }
    nodes = (pages, {"id": "split", "type": "fork", "depends_on": ["pages"], "branches": sides}, echo("end", "split"))
    execution_id = flows.start(flows.deploy(flow("bodies", *nodes)), {"pages": list(range(11))}, announce=False)
    begin(store, execution_id)
    seen = flows.see(execution_id).nodes
    item = ["", "/step", "/poll", "/poll[0]", "/poll[0]/look", "/poll[1]", "/poll[1]/look"]
    assert list(seen) == [
        "pages",
        *(f"pages[{number}]{path}" for number in range(11) for path in item),
        *("split", "split[zeta]", "split[zeta]/z", "split[alpha]", "split[alpha]/a", "end"),
    ]
    frames = {"pages[10]": "item", "pages[10]/poll[1]": "iteration", "split[zeta]": "branch", "split": "fork"}
    assert {path: seen[path].type for path in frames} == frames
    waiting = seen["split[alpha]/a"].waiting_for
    assert waiting is not None
    assert (waiting.kind, waiting.name, waiting.due_at is None) == ("signal", "go", False)
    assert seen["split"].waiting_for is None
