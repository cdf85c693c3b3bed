"""Bodies, waits, pauses, retries and children on the real store, with many at once where that is the question."""

from __future__ import annotations

from collections import Counter
from functools import partial
from typing import Any

import pytest
from sqlalchemy import select

from aispine.agent.contract import AgentFailure
from aispine.engine import broker, children, plans
from aispine.engine.advance import Held, advance
from aispine.engine.dispatch import Dispatch
from aispine.engine.facts import CancelRequested, PauseRequested, ResumeRequested
from aispine.engine.queues import Queues
from aispine.engine.recover import Tick
from aispine.errors import Conflict
from aispine.flow.state import Transition
from aispine.store import transitions
from aispine.store.database import Store
from aispine.store.models import ExecutionRow, NodeExecutionRow
from tests.integration.engine.crew import TERMS, Crew, begin, done, fact, finish, take, together, tolerant
from tests.support.environment import Servers
from tests.support.flows import Flows
from tests.support.operations import Silence, operations
from tests.support.shapes import echo, flow

FATAL = AgentFailure(code="agent_error", message="as told")


def _map(body: list[dict[str, Any]], **keys: Any) -> dict[str, Any]:
    return {"id": "m", "type": "map", "items": "input.items", "body": body, **keys}


def _begin(store: Store, flows: Flows, definition: dict[str, Any], data: Any = None) -> tuple[str, Transition]:
    execution_id = flows.start(flows.deploy(definition), data, announce=False)
    return execution_id, begin(store, execution_id)


def _rows_of_forty_ends(store: Store, flows: Flows, items: int, monkeypatch: pytest.MonkeyPatch) -> int:
    """How many rows are read while the first forty items of a map end."""
    wide = flow("wide", _map([echo("a")], max_concurrency=20, complete_when="len(output) >= 90"))
    execution_id, begun = _begin(store, flows, wide, {"items": list(range(items))})
    ready, read, make = list(begun.queued), Counter[str](), transitions._node

    def counting(row: Any) -> Any:
        read["rows"] += 1
        return make(row)

    monkeypatch.setattr(transitions, "_node", counting)
    for _ in range(40):
        after = done(store, take(store, execution_id, ready.pop(0)))
        assert after is not None
        ready.extend(after.queued)
    monkeypatch.undo()
    return read["rows"]


def test_the_end_of_an_item_reads_as_many_rows_in_a_map_of_100_and_of_10_000(
    store: Store, flows: Flows, monkeypatch: pytest.MonkeyPatch
) -> None:
    few, many = (_rows_of_forty_ends(store, flows, items, monkeypatch) for items in (100, 10_000))
    assert few == many
    assert many < 40 * 8


def test_items_and_branches_have_a_context_of_their_own(store: Store, flows: Flows) -> None:
    body = [echo("a", set={"x": "${item}"}), echo("b", "a", input={"x": "${context.x}"})]
    branch = [echo("c", set={"x": "branch"}), echo("d", "c", input={"x": "${context.x}"})]
    other = [echo("e", input={"x": "${context.x}"})]
    fork = {"id": "f", "type": "fork", "branches": {"one": branch, "two": other}, "depends_on": ["m"]}
    copies = flow("copies", _map(body), fork, context={"x": 0}, output={"x": "${context.x}"})
    execution_id = flows.start(flows.deploy(copies), {"items": [1, 2, 3]}, announce=False)
    Crew(store, execution_id).run(threads=6)
    seen = flows.see(execution_id)
    assert seen.output == {"x": 0}
    assert [seen.nodes[f"m[{number}]/b"].input for number in range(3)] == [{"x": 1}, {"x": 2}, {"x": 3}]
    assert seen.nodes["f[one]/d"].input == {"x": "branch"}
    assert seen.nodes["f[two]/e"].input == {"x": 0}


def test_a_retry_of_a_map_runs_only_the_items_that_are_not_done(store: Store, flows: Flows) -> None:
    execution_id, _ = _begin(store, flows, flow("items", _map([echo("a")])), {"items": [0, 1, 2, 3]})
    for number in (0, 2):
        done(store, take(store, execution_id, f"m[{number}]/a"))
    failing = take(store, execution_id, "m[3]/a")
    finish(store, failing, fact(failing, FATAL), TERMS)
    assert flows.see(execution_id).status == "failed"
    operations(store, flows.tenant_id).retry(execution_id)
    for number in (1, 3):
        done(store, take(store, execution_id, f"m[{number}]/a"))
    seen = flows.see(execution_id)
    assert seen.status == "completed"
    assert seen.output == [{"from": f"m[{number}]/a"} for number in range(4)]
    assert {path: node.attempts for path, node in seen.nodes.items() if path.endswith("/a")} == {
        "m[0]/a": 1,
        "m[1]/a": 1,
        "m[2]/a": 1,
        "m[3]/a": 2,
    }


def test_each_signal_is_taken_once_whether_it_comes_early_or_not(store: Store, flows: Flows) -> None:
    nodes: list[dict[str, Any]] = [{"id": f"w{number}", "type": "wait", "signal": "go"} for number in range(4)]
    nodes += [{"id": f"then{number}", "type": "wait", "signal": "go", "depends_on": ["w0"]} for number in range(2)]
    flow_id = flows.deploy(flow("signals", *nodes))
    for _ in range(10):
        execution_id = flows.start(flow_id, announce=False)
        people = operations(store, flows.tenant_id)
        sending = [partial(people.signal, execution_id, "go", {"number": number}) for number in range(6)]
        together(partial(begin, store, execution_id), *sending)
        seen = flows.see(execution_id)
        assert seen.status == "completed"
        assert sorted(node.output["number"] for node in seen.nodes.values()) == [0, 1, 2, 3, 4, 5]
        assert seen.count("signal.received") == 6


def test_of_two_answers_at_once_one_is_taken(store: Store, flows: Flows) -> None:
    flow_id = flows.deploy(flow("ask", {"id": "ask", "type": "approval"}))
    for _ in range(10):
        execution_id = flows.start(flow_id, announce=False)
        begin(store, execution_id)
        people = operations(store, flows.tenant_id)
        answers = [
            tolerant(partial(people.answer, execution_id, "ask", {"approved": approved}, by=by), Conflict)
            for approved, by in ((True, "ada"), (False, "bob"))
        ]
        refused = [isinstance(result, Conflict) for result in together(*answers)]
        assert sorted(refused) == [False, True]
        seen = flows.see(execution_id)
        assert seen.nodes["ask"].output["by"] == ("bob" if refused[0] else "ada")
        assert seen.count("approval.answered") == 1


def _due(store: Store, execution_id: str) -> dict[str, bool]:
    """Which nodes the tick will look at."""
    with store.session(None) as session:
        rows = session.scalars(select(NodeExecutionRow).filter_by(execution_id=execution_id))
        return {row.path: row.due_at is not None for row in rows}


def test_a_pause_stops_timers_and_a_resume_lets_them_run(store: Store, flows: Flows) -> None:
    timers: list[dict[str, Any]] = [
        {"id": "t", "type": "wait", "seconds": 3600},
        {"id": "u", "type": "wait", "seconds": 60},
    ]
    execution_id, _ = _begin(store, flows, flow("timers", timers[0], echo("a"), {**timers[1], "depends_on": ["a"]}))
    held = take(store, execution_id, "a")
    advance(store, execution_id, [PauseRequested()], TERMS)
    done(store, held)
    assert _due(store, execution_id) == {"t": False, "a": False, "u": False}
    advance(store, execution_id, [ResumeRequested()], TERMS)
    assert _due(store, execution_id) == {"t": True, "a": False, "u": True}


def _with_child(store: Store, flows: Flows) -> tuple[str, str]:
    """A parent that waits for its child, which has begun."""
    flows.deploy(flow("child", echo("work")))
    execution_id, _ = _begin(store, flows, flow("parent", {"id": "sub", "type": "subflow", "flow_id": "child"}))
    held: Held = take(store, execution_id, "sub")
    spec = plans.find(store, held.execution.flow_version_id).node("sub")
    finish(store, held, children.begin(store, held.execution, held.node, spec), TERMS)
    with store.session(None) as session:
        child = session.scalar(select(ExecutionRow.execution_id).filter_by(parent_execution_id=execution_id))
    assert child is not None
    begin(store, child)
    return execution_id, child


def test_a_cancelled_parent_cancels_its_child(store: Store, flows: Flows) -> None:
    parent, child = _with_child(store, flows)
    operations(store, flows.tenant_id).cancel(parent)
    seen = flows.see(child)
    assert seen.status == "cancelled"
    assert seen.nodes["work"].status == "cancelled"


def test_a_child_whose_parent_died_without_a_word_is_found(store: Store, flows: Flows, servers: Servers) -> None:
    parent, child = _with_child(store, flows)
    advance(store, parent, [CancelRequested()], TERMS)
    assert flows.see(child).status == "running"
    app = broker.app()
    dispatch = Dispatch(store=store, celery=app, wakeups=Silence())
    Tick(store=store, celery=app, terms=TERMS, dispatch=dispatch, queues=Queues(servers.redis_url)).recover()
    assert flows.see(child).status == "cancelled"


def test_two_looks_at_an_ended_child_end_its_node_once(store: Store, flows: Flows) -> None:
    parent, child = _with_child(store, flows)
    done(store, take(store, child, "work"))
    ended = children.ended(store, "sub", child)
    assert ended is not None
    together(*[partial(advance, store, parent, [ended], TERMS)] * 4)
    seen = flows.see(parent)
    assert seen.status == "completed"
    assert seen.output == {"from": "work"}
    assert seen.count("node.completed", "sub") == 1
