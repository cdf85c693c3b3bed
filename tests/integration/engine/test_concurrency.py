"""Many threads on one execution: joins fire once, events have no gap, nothing deadlocks."""

from __future__ import annotations

from functools import partial
from random import Random
from typing import Any

import pytest

from aispine.agent.contract import AgentReply
from aispine.engine.advance import advance, claim
from aispine.engine.facts import CancelRequested, Lost
from aispine.engine.terms import Terms
from aispine.errors import Conflict
from aispine.flow.state import Transition
from aispine.store import due, leases
from aispine.store.database import Store
from tests.integration.engine.crew import TERMS, Crew, begin, done, fact, finish, take, together, tolerant
from tests.support.flows import Flows, Seen
from tests.support.operations import cancel

WIDTH = 20


def _flow(flow_id: str, nodes: list[tuple[str, list[str]]]) -> dict[str, Any]:
    return {
        "flow_id": flow_id,
        "version": "1.0.0",
        "name": flow_id,
        "nodes": [
            {"id": name, "type": "processor", "agent_id": "echo", "depends_on": depends_on}
            for name, depends_on in nodes
        ],
    }


def _fan(width: int) -> dict[str, Any]:
    names = [f"b{index}" for index in range(width)]
    return _flow("fan", [*((name, []) for name in names), ("join", names)])


def _layers(seed: int) -> dict[str, Any]:
    """Five layers of four nodes, each with one to four sources in the layer before: not series-parallel."""
    rng = Random(seed)
    nodes: list[tuple[str, list[str]]] = [(f"n0_{index}", []) for index in range(4)]
    for layer in range(1, 5):
        before = [name for name, _ in nodes if name.startswith(f"n{layer - 1}_")]
        nodes += [(f"n{layer}_{index}", sorted(rng.sample(before, rng.randint(1, 4)))) for index in range(4)]
    return _flow(f"layers_{seed}", nodes)


def _check_log(seen: Seen) -> None:
    assert [event.seq for event in seen.events] == list(range(1, len(seen.events) + 1))
    assert seen.events[-1].type == f"execution.{seen.status}"


def test_a_wide_join_fires_once(store: Store, flows: Flows) -> None:
    flow_id = flows.deploy(_fan(WIDTH))
    for _ in range(5):
        execution_id = flows.start(flow_id, announce=False)
        held = [take(store, execution_id, path) for path in begin(store, execution_id).queued]
        transitions = together(*[partial(done, store, each) for each in held])
        assert [each.queued for each in transitions if each.queued] == [("join",)]
        done(store, take(store, execution_id, "join"))
        seen = flows.see(execution_id)
        assert seen.status == "completed"
        assert seen.nodes["join"].input == {f"b{index}": {"from": f"b{index}"} for index in range(WIDTH)}
        _check_log(seen)


@pytest.mark.parametrize("inline", [False, True])
@pytest.mark.parametrize("seed", [1, 2, 3])
def test_any_dag_runs_each_node_once_under_many_threads(store: Store, flows: Flows, seed: int, inline: bool) -> None:
    execution_id = flows.start(flows.deploy(_layers(seed)), announce=False)
    crew = Crew(store, execution_id, inline=inline)
    crew.run(threads=12)
    seen = flows.see(execution_id)
    assert seen.status == "completed"
    assert crew.queued == dict.fromkeys(seen.nodes, 1)
    assert crew.claimed == dict.fromkeys(seen.nodes, 1)
    assert {node.attempts for node in seen.nodes.values()} == {1}
    _check_log(seen)


def test_ends_cancels_heartbeats_and_recovery_do_not_deadlock(store: Store, flows: Flows) -> None:
    flow_id = flows.deploy(_fan(6))
    ends = set()
    for round_ in range(120):
        execution_id = flows.start(flow_id, announce=False)
        held = [take(store, execution_id, path) for path in begin(store, execution_id).queued]
        keys = [(execution_id, each.node.path, each.node.attempt) for each in reversed(held)]
        cancelling = tolerant(partial(cancel, store, flows.tenant_id, execution_id), Conflict)
        together(
            *[partial(done, store, each) for each in held[round_ % 4 :]],
            cancelling,
            partial(leases.renew, store, keys, owner=TERMS.owner, lease=60.0),
            partial(due.hasten_queued, store, older_than=0.0),
        )
        seen = flows.see(execution_id)
        ends.add(str(seen.status))
        assert seen.status == "cancelled"
        assert not any(node.status.open for node in seen.nodes.values())
        _check_log(seen)
    assert ends == {"cancelled"}


def test_heartbeats_and_cancels_of_wide_executions_do_not_deadlock(store: Store, flows: Flows) -> None:
    flow_id = flows.deploy(_fan(60))
    for _ in range(15):
        execution_id = flows.start(flow_id, announce=False)
        held = [take(store, execution_id, path) for path in begin(store, execution_id).queued]
        keys = [(execution_id, each.node.path, each.node.attempt) for each in held]
        renewing = [partial(leases.renew, store, keys, owner=TERMS.owner, lease=60.0)] * 4
        together(partial(cancel, store, flows.tenant_id, execution_id), *renewing)
        assert flows.see(execution_id).status == "cancelled"


def test_a_node_is_claimed_by_one(store: Store, flows: Flows) -> None:
    execution_id = flows.start(flows.deploy(_fan(1)), announce=False)
    begin(store, execution_id)
    taken = together(*[partial(claim, store, execution_id, ["b0"], TERMS)] * 16)
    assert len([held for each in taken for held in each]) == 1
    seen = flows.see(execution_id)
    assert seen.nodes["b0"].attempts == 1
    assert seen.count("node.started", "b0") == 1


def test_claims_and_ends_of_siblings_at_once_leave_no_gap(store: Store, flows: Flows) -> None:
    execution_id = flows.start(flows.deploy(_fan(WIDTH)), announce=False)
    paths = begin(store, execution_id).queued

    def work(path: str) -> None:
        done(store, take(store, execution_id, path))

    together(*[partial(work, path) for path in paths])
    seen = flows.see(execution_id)
    assert [event.seq for event in seen.events] == list(range(1, len(seen.events) + 1))
    assert seen.nodes["join"].status == "queued"


def test_the_result_of_a_lost_attempt_is_refused(store: Store, flows: Flows) -> None:
    execution_id = flows.start(flows.deploy(_fan(2)), announce=False)
    begin(store, execution_id)
    gone = take(store, execution_id, "b0", Terms(owner="gone:1:1", lease=0.0))
    advance(store, execution_id, [Lost(path="b0", attempt=1)], TERMS)
    again = take(store, execution_id, "b0")
    late = finish(store, gone, fact(gone, AgentReply(output="stale")), TERMS)
    assert late is not None
    assert late.nodes == {}
    done(store, again)
    seen = flows.see(execution_id)
    assert seen.nodes["b0"].output == {"from": "b0"}
    assert seen.nodes["b0"].attempts == 2
    assert seen.count("node.late_result", "b0") == 1
    assert seen.count("node.completed", "b0") == 1


def test_a_node_that_is_renewed_is_not_lost(store: Store, flows: Flows) -> None:
    execution_id = flows.start(flows.deploy(_fan(1)), announce=False)
    begin(store, execution_id)
    take(store, execution_id, "b0", Terms(owner="slow:1:1", lease=0.0))
    leases.renew(store, [(execution_id, "b0", 1)], owner="slow:1:1", lease=60.0)
    transition = advance(store, execution_id, [Lost(path="b0", attempt=1)], TERMS)
    assert transition is not None
    assert transition.empty
    leases.renew(store, [(execution_id, "b0", 1)], owner="another:1:1", lease=0.0)
    assert advance(store, execution_id, [Lost(path="b0", attempt=1)], TERMS).empty  # type: ignore[union-attr]  # It is there.


def test_a_decision_taken_on_old_knowledge_is_not_written(store: Store, flows: Flows) -> None:
    """The lone running node decides without reading; a cancel in between wins."""
    execution_id = flows.start(flows.deploy(_flow("line", [("a", []), ("b", ["a"])])), announce=False)
    begin(store, execution_id)
    held = take(store, execution_id, "a")
    assert held.execution.open_nodes == 1
    advance(store, execution_id, [CancelRequested()], TERMS)
    late = done(store, held)
    assert late is not None
    assert late.empty
    seen = flows.see(execution_id)
    assert seen.status == "cancelled"
    assert seen.statuses["a"] == "cancelled"
    _check_log(seen)


def test_cancels_and_the_lone_nodes_end_at_once_leave_one_end(store: Store, flows: Flows) -> None:
    flow_id = flows.deploy(_flow("one", [("a", [])]))
    for _ in range(40):
        execution_id = flows.start(flow_id, announce=False)
        begin(store, execution_id)
        held = take(store, execution_id, "a")
        refused = together(
            partial(done, store, held),
            tolerant(partial(cancel, store, flows.tenant_id, execution_id), Conflict),
        )[1]
        seen = flows.see(execution_id)
        assert seen.status == ("completed" if isinstance(refused, Conflict) else "cancelled")
        assert seen.statuses["a"] == str(seen.status)
        _check_log(seen)


def test_many_starts_of_one_execution_start_it_once(store: Store, flows: Flows) -> None:
    execution_id = flows.start(flows.deploy(_fan(3)), announce=False)
    transitions: list[Transition] = together(*[partial(begin, store, execution_id)] * 8)
    assert len([each for each in transitions if not each.empty]) == 1
    assert flows.see(execution_id).count("execution.started") == 1


def test_a_cancel_needs_one_connection_only(no_workers: None, flows: Flows, web_store: Store) -> None:
    """With one for the decision and one more for the plan, as many cancels as connections would wait for ever."""
    execution_id = flows.start(flows.deploy(_fan(2)), announce=False)
    small = Store(web_store.engine.url.render_as_string(hide_password=False), pool_size=1)
    small.engine.pool._timeout = 2.0  # type: ignore[attr-defined]  # A test of waiting does not wait for half a minute.
    cancel(small, flows.tenant_id, execution_id)
    small.dispose()
    assert flows.see(execution_id).status == "cancelled"
