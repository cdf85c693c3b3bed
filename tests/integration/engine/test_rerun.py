"""Executions run once more from a chosen node, on real workers."""

from __future__ import annotations

from typing import Any

import pytest

from aispine.engine import rerun, start
from aispine.engine.rerun import SAME_INPUT, RerunRequest
from aispine.errors import Conflict, NotFound, Unprocessable
from aispine.store.database import Store
from aispine.store.ids import new_id
from tests.support.flows import Flows, Seen
from tests.support.operations import operations
from tests.support.shapes import agent, echo, flow, says
from tests.support.workers import Workers

FAILS: dict[str, Any] = {"config": {"fail_first": 99}, "retry": {"max_attempts": 1}}
NESTED = flow(
    "nested",
    {"id": "receive", "type": "input"},
    {
        "id": "pages",
        "type": "map",
        "depends_on": ["receive"],
        "items": "input.pages",
        "on_item_error": "continue",
        "body": [{"id": "double", "type": "transform", "output": "${item}${item}"}, echo("read", "double")],
    },
    {
        "id": "both",
        "type": "fork",
        "depends_on": ["receive"],
        "branches": {"left": [echo("l", config=says(1))], "right": [echo("r", config=says(2))]},
    },
    {"id": "meet", "type": "join", "depends_on": ["both"]},
    {
        "id": "last",
        "type": "transform",
        "depends_on": ["pages", "meet"],
        "output": {"pages": "${nodes.pages.output}", "sides": "${nodes.meet.output}", "mark": "${input.mark}"},
    },
)


def again(flows: Flows, store: Store, execution_id: str, from_node: str | None = None, data: Any = SAME_INPUT) -> Seen:
    request = RerunRequest(execution_id=execution_id, from_node=from_node, input=data)
    with store.session(flows.tenant_id) as session:
        row = rerun.rerun(session, request)
        execution_id, flow_id = row.execution_id, row.flow_id
    start.announce(execution_id, flow_id)
    return flows.wait(execution_id)


def test_what_stands_before_a_node_is_kept_with_its_bodies(workers: Workers, flows: Flows, web_store: Store) -> None:
    first = flows.run(NESTED, {"pages": ["a", "b"], "mark": 1})
    assert first.output == {"pages": [{"value": "aa"}, {"value": "bb"}], "sides": {"left": 1, "right": 2}, "mark": 1}
    second = again(flows, web_store, first.execution.execution_id, "last", {"pages": [], "mark": 2})
    assert second.output == {**first.output, "mark": 2}
    assert {event.path for event in second.events} == {None, "last"}
    assert second.nodes["pages[1]/read"].output == {"value": "bb"}
    assert second.execution.rerun_of == first.execution.execution_id


def test_a_container_runs_anew_with_all_that_follows_it(workers: Workers, flows: Flows, web_store: Store) -> None:
    first = flows.run(NESTED, {"pages": ["a", "b"], "mark": 1})
    second = again(flows, web_store, first.execution.execution_id, "pages", {"pages": ["c"], "mark": 1})
    assert second.output == {"pages": [{"value": "cc"}], "sides": {"left": 1, "right": 2}, "mark": 1}
    assert "pages[1]" not in second.nodes
    assert second.count("node.completed", "meet") == 0


def test_a_join_goes_on_from_the_branches_that_were_kept(workers: Workers, flows: Flows, web_store: Store) -> None:
    first = flows.run(NESTED, {"pages": [], "mark": 1})
    second = again(flows, web_store, first.execution.execution_id, "meet")
    assert second.output == first.output
    assert second.count("node.started") == 0


def test_what_did_not_end_well_beside_the_node_runs_again(workers: Workers, flows: Flows, web_store: Store) -> None:
    nodes = (echo("a"), echo("bad", "a", **FAILS), echo("slow", "a", config={"sleep_seconds": 0.3}))
    first = flows.run(flow("beside", *nodes, echo("join", "bad", "slow"), on_failure="finish"), {"x": 1})
    assert first.statuses == {"a": "completed", "bad": "failed", "slow": "completed", "join": "skipped"}
    second = again(flows, web_store, first.execution.execution_id, "slow")
    assert (str(second.status), second.statuses) == ("failed", first.statuses)
    started = [event.path for event in second.events if event.type == "node.started"]
    assert sorted(map(str, started)) == ["bad", "slow"]


def test_a_choice_that_was_made_before_the_node_stays(workers: Workers, flows: Flows, web_store: Store) -> None:
    decide = {"id": "big", "type": "decision", "condition": "input.n > 5", "then": "yes", "else": "no"}
    ends = ({"id": "yes", "type": "transform", "output": "big"}, {"id": "no", "type": "transform", "output": "small"})
    done = {"id": "done", "type": "output", "depends_on": ["yes", "no"]}
    first = flows.run(flow("choice", decide, *ends, done), {"n": 9})
    execution_id = first.execution.execution_id
    assert again(flows, web_store, execution_id, "yes", {"n": 1}).output == {"yes": "big"}
    assert again(flows, web_store, execution_id, "big", {"n": 1}).output == {"no": "small"}
    with web_store.session(flows.tenant_id) as session, pytest.raises(Conflict, match="nothing led to `no`"):
        rerun.rerun(session, RerunRequest(execution_id=execution_id, from_node="no"))


def test_the_variables_are_those_of_the_end_unless_all_runs_again(
    workers: Workers, flows: Flows, web_store: Store
) -> None:
    count = {"id": "count", "type": "transform", "output": "${context.n}", "set": {"n": "${context.n} more"}}
    show = {"id": "show", "type": "transform", "depends_on": ["count"], "output": "${context.n}"}
    first = flows.run(flow("counting", count, show, context={"n": "one"}))
    execution_id = first.execution.execution_id
    assert first.output == "one more"
    assert again(flows, web_store, execution_id, "show").output == "one more"
    assert again(flows, web_store, execution_id, "count").output == "one more more"
    assert again(flows, web_store, execution_id).output == "one more"


def test_the_handler_of_the_flow_runs_once_more_when_it_fails_again(
    workers: Workers, flows: Flows, web_store: Store
) -> None:
    nodes = (echo("a"), echo("bad", "a", **FAILS), echo("tell"))
    first = flows.run(flow("handled", *nodes, on_error="tell"), {})
    second = again(flows, web_store, first.execution.execution_id, "bad")
    assert first.statuses == second.statuses == {"a": "completed", "bad": "failed", "tell": "completed"}
    assert second.count("node.started", "tell") == 1


def test_the_handler_of_the_flow_runs_once_more_after_a_retry(
    workers: Workers, flows: Flows, web_store: Store, tenant: str
) -> None:
    nodes = (echo("bad", **FAILS), echo("tell"), echo("told", "tell"))
    execution_id = flows.run(flow("told", *nodes, on_error="tell"), {}).execution.execution_id
    operations(web_store, tenant).retry(execution_id)
    again = flows.wait(execution_id)
    assert again.statuses == {"bad": "failed", "tell": "completed", "told": "completed"}
    assert (again.count("node.started", "tell"), again.count("node.completed", "told")) == (2, 2)


def test_a_subflow_that_is_run_again_starts_a_child_of_its_own(
    workers: Workers, flows: Flows, web_store: Store
) -> None:
    child = flows.deploy(flow("child", agent("say", "echo")))
    first = flows.run(flow("outer", {"id": "sub", "type": "subflow", "flow_id": child}, echo("end", "sub")), {"x": 1})
    second = again(flows, web_store, first.execution.execution_id, "sub", {"x": 2})
    assert (first.output, second.output) == ({"x": 1}, {"x": 2})
    third = again(flows, web_store, first.execution.execution_id, "end")
    assert third.output == {"x": 1}


def test_only_a_node_of_the_flow_itself_can_be_chosen(no_workers: None, flows: Flows, web_store: Store) -> None:
    execution_id = flows.start(flows.deploy(NESTED), {}, announce=False)
    with web_store.session(flows.tenant_id) as session:
        with pytest.raises(Conflict, match="is queued"):
            rerun.rerun(session, RerunRequest(execution_id=execution_id, from_node="pages"))
        with pytest.raises(NotFound):
            rerun.rerun(session, RerunRequest(execution_id=new_id()))


@pytest.mark.parametrize(
    ("name", "hint"),
    [("nope", None), ("read", "Choose `pages`, in whose body it is."), ("l", "Choose `both`, in whose body it is.")],
)
def test_a_node_that_cannot_be_chosen_is_refused_with_what_can(
    workers: Workers, flows: Flows, web_store: Store, name: str, hint: str | None
) -> None:
    first = flows.run(NESTED, {"pages": [], "mark": 1})
    with web_store.session(flows.tenant_id) as session, pytest.raises(Unprocessable) as refused:
        rerun.rerun(session, RerunRequest(execution_id=first.execution.execution_id, from_node=name))
    assert (refused.value.field, refused.value.hint) == ("from_node", hint)
