"""Flows on real workers, from the start to the stored result."""

from __future__ import annotations

import json

import pytest

from aispine.flow.status import NodeStatus
from aispine.store.database import Store
from tests.support.environment import ROOT
from tests.support.flows import Flows, Seen
from tests.support.operations import cancel
from tests.support.shapes import echo, fan, flow, line, says

pytestmark = [pytest.mark.core, pytest.mark.usefixtures("workers")]
ONCE = {"max_attempts": 1}
SOON = {"max_attempts": 3, "initial_delay": 0.05, "jitter": "none"}


def _check_log(seen: Seen) -> None:
    assert [event.seq for event in seen.events] == list(range(1, len(seen.events) + 1))
    assert seen.events[-1].type == f"execution.{seen.status}"


@pytest.mark.parametrize("name", ["credit_analysis", "parallel_research", "support_triage"])
def test_a_sample_flow_runs_to_its_end(flows: Flows, name: str) -> None:
    source = (ROOT / f"flows/{name}.yaml").read_text("utf-8")
    seen = flows.run(source, json.loads((ROOT / f"flows/{name}.input.json").read_text("utf-8")))
    assert seen.status == "completed", seen.execution.error
    assert seen.output
    _check_log(seen)


def test_the_nodes_of_a_chain_run_in_order_and_pass_their_output_on(flows: Flows) -> None:
    names = [f"n{index}" for index in range(60)]
    seen = flows.run(line("long", names), {"question": 1})
    assert seen.output == {"question": 1}
    started = [event.path for event in seen.events if event.type == "node.started"]
    assert started == names
    _check_log(seen)


@pytest.mark.parametrize("pool", ["quick", "cpu", "io"])
def test_a_fan_meets_in_its_join_on_every_pool(flows: Flows, pool: str) -> None:
    seen = flows.run(fan("fan", 12, pool=pool), {"x": 1})
    assert seen.status == "completed"
    assert seen.output == {f"b{index}": {"x": 1} for index in range(12)}
    # What a lane did not begin within its slice is given back and started again, which is no attempt.
    assert seen.count("node.started") - seen.count("node.released") == 13
    _check_log(seen)


def test_nodes_on_different_pools_follow_each_other(flows: Flows) -> None:
    mixed = flow(
        "mixed",
        echo("a", pool="io"),
        echo("b", "a", pool="cpu"),
        echo("c", "a", pool="quick"),
        echo("d", "b", "c", pool="io"),
        {"id": "out", "type": "output", "depends_on": ["d"]},
    )
    seen = flows.run(mixed, {"x": 1})
    assert seen.output == {"b": {"x": 1}, "c": {"x": 1}}
    assert [seen.nodes[name].queue for name in "abcd"] == ["io", "cpu", "engine", "io"]


@pytest.mark.parametrize(("amount", "taken", "left"), [(10, "small", "large"), (1000, "large", "small")])
def test_a_decision_runs_the_chosen_side_and_the_join_after_it(
    flows: Flows, amount: int, taken: str, left: str
) -> None:
    decided = flow(
        "decided",
        {"id": "sure", "type": "decision", "condition": "input.amount > 100", "then": "large", "else": "small"},
        echo("large", config=says({"side": "large"})),
        echo("small", config=says({"side": "small"})),
        echo("join", "large", "small"),
    )
    seen = flows.run(decided, {"amount": amount})
    assert seen.statuses == {"sure": "completed", taken: "completed", left: "skipped", "join": "completed"}
    assert seen.output == {taken: {"side": taken}}


def test_a_failing_agent_is_tried_again_until_it_succeeds(flows: Flows) -> None:
    seen = flows.run(flow("flaky", echo("a", config={"fail_first": 2}, retry=SOON)), {"x": 1})
    assert seen.status == "completed"
    assert seen.nodes["a"].attempts == 3
    assert seen.nodes["a"].error is None
    assert [event.data["attempt"] for event in seen.events if event.type == "node.retrying"] == [1, 2]
    _check_log(seen)


def test_an_agent_that_goes_on_failing_fails_the_execution(flows: Flows) -> None:
    seen = flows.run(flow("broken", echo("a", config={"fail_first": 9}, retry=SOON), echo("b", "a")))
    assert seen.status == "failed"
    assert seen.nodes["a"].attempts == 3
    assert seen.execution.error is not None
    assert seen.execution.error["code"] == "unavailable"
    assert seen.execution.error["node"] == "a"
    assert seen.nodes["b"].attempts == 0
    _check_log(seen)


def test_an_error_goes_to_its_handler_and_to_nobody_else(flows: Flows) -> None:
    handled = flow(
        "handled",
        echo("a", config={"fail_first": 9}, retry=ONCE, on_error="mend"),
        echo("b", "a"),
        echo("mend"),
        echo("join", "b", "mend"),
    )
    seen = flows.run(handled)
    assert seen.status == "completed"
    assert seen.statuses == {"a": "failed", "b": "skipped", "mend": "completed", "join": "completed"}
    assert seen.nodes["mend"].input["error"]["code"] == "unavailable"


def test_a_flow_continues_past_an_error(flows: Flows) -> None:
    continued = flow(
        "continued",
        echo("a", config={"fail_first": 9}, retry=ONCE, on_error="continue"),
        echo("b", "a", input={"why": "${error.code}"}),
    )
    seen = flows.run(continued)
    assert seen.status == "completed"
    assert seen.output == {"why": "unavailable"}


def test_a_join_after_a_failure_that_is_passed_over_keeps_what_the_others_found(flows: Flows) -> None:
    merged = flow(
        "merged",
        echo("a", config={"fail_first": 9}, retry=ONCE, on_error="continue"),
        echo("b", config=says({"found": 1})),
        echo("join", "a", "b"),
    )
    seen = flows.run(merged)
    assert seen.status == "completed"
    assert seen.nodes["join"].input["b"] == {"found": 1}


@pytest.mark.parametrize("pool", ["quick", "cpu", "io"])
def test_a_node_that_takes_too_long_times_out(flows: Flows, pool: str) -> None:
    slow = flow("slow", echo("a", config={"sleep_seconds": 1.5}, pool=pool, timeout=0.3, retry=ONCE))
    seen = flows.run(slow)
    assert seen.status == "failed"
    assert seen.nodes["a"].error is not None
    assert seen.nodes["a"].error["code"] == "timeout"


def test_an_execution_that_takes_too_long_times_out(flows: Flows) -> None:
    seen = flows.run(flow("late", echo("a", config={"sleep_seconds": 4}, pool="io"), echo("b", "a"), timeout=0.5))
    assert seen.status == "timed_out"
    assert seen.statuses["a"] == "cancelled"
    assert seen.execution.error is not None
    assert seen.execution.error["code"] == "timeout"
    _check_log(seen)


def test_a_running_execution_is_cancelled(flows: Flows, web_store: Store) -> None:
    flow_id = flows.deploy(flow("stopped", echo("a", config={"sleep_seconds": 3}, pool="io"), echo("b", "a")))
    execution_id = flows.start(flow_id)
    flows.wait_for_node(execution_id, "a", NodeStatus.RUNNING)
    cancel(web_store, flows.tenant_id, execution_id, reason="enough")
    seen = flows.wait(execution_id)
    assert seen.status == "cancelled"
    assert seen.statuses["a"] == "cancelled"
    assert seen.execution.error is not None
    assert seen.execution.error["message"] == "enough"
    _check_log(seen)


def test_a_retrying_execution_is_cancelled(flows: Flows, web_store: Store) -> None:
    patient = {"max_attempts": 5, "initial_delay": 60, "jitter": "none"}
    execution_id = flows.start(flows.deploy(flow("waits", echo("a", config={"fail_first": 9}, retry=patient))))
    flows.wait_for_node(execution_id, "a", NodeStatus.RETRYING)
    cancel(web_store, flows.tenant_id, execution_id)
    assert flows.wait(execution_id).statuses == {"a": "cancelled"}


def test_context_is_set_with_a_nodes_end_and_read_by_later_ones(flows: Flows) -> None:
    remembered = flow(
        "remembered",
        echo("a", config=says({"name": "Ada"}), set={"guest": "${output.name}"}),
        echo("b", "a", input={"hello": "${context.guest}", "first": "${nodes.a.output.name}"}),
        context={"guest": None},
        output="${nodes.b.output}",
    )
    assert flows.run(remembered).output == {"hello": "Ada", "first": "Ada"}


def test_a_condition_that_cannot_be_evaluated_fails_its_node(flows: Flows) -> None:
    unclear = flow(
        "unclear",
        echo("a", config=says({"count": "many"})),
        {"id": "d", "type": "decision", "depends_on": ["a"], "condition": "output.count > 5", "then": "b"},
        echo("b"),
    )
    seen = flows.run(unclear)
    assert seen.status == "failed"
    assert seen.execution.error is not None
    assert (seen.execution.error["code"], seen.execution.error["node"]) == ("expression_error", "d")
