"""Executions rehearsed in a time that is not real."""

from __future__ import annotations

from typing import Any

import pytest

from aispine.engine.rehearsal import RehearsalError, Rehearsed, rehearse
from aispine.engine.verdict import Difference, began, differences
from aispine.flow import rehearsal, validation

HEAD = "flow_id: f\nversion: 1.0.0\nnodes:\n"
ASK = HEAD + "  - {id: ask, type: approval, timeout: 1h, on_timeout: reject, form: {required: [room]}}\n"
CALL = (
    HEAD + "  - {id: a, type: processor, agent_id: scorer, retry: {max_attempts: 3, initial_delay: 10, jitter: none}}\n"
)


def _case(text: str) -> rehearsal.Case:
    expect = "" if "expect:" in text else "expect: {}, "
    found, problems = rehearsal.check(f"flow: f.yaml\ncases: [{{name: x, {expect}{text}}}]", "f.test.yaml")
    assert found is not None, problems
    return found.cases[0]


def _rehearse(flow: str, case: str = "") -> Rehearsed:
    return rehearse(validation.load(flow), _case(case))


def _outputs(done: Rehearsed) -> dict[str, Any]:
    return {path: node.output for path, node in done.nodes.items()}


def test_a_wait_takes_no_time_but_counts() -> None:
    done = _rehearse(
        HEAD + "  - {id: pause, type: wait, seconds: 300d}\n  - {id: b, type: transform, depends_on: [pause]}"
    )
    assert done.execution.status == "completed"
    assert done.seconds == 300 * 86_400


def test_retries_come_after_their_delays() -> None:
    done = _rehearse(CALL, "mocks: {a: [{error: timeout, takes: 5}, {error: unavailable}, {output: 7}]}")
    assert _outputs(done) == {"a": 7}
    assert done.nodes["a"].attempt == 3
    assert done.seconds == 5 + 10 + 20


def test_an_answer_for_a_path_wins_over_one_for_the_id() -> None:
    flow = HEAD + "  - {id: m, type: map, items: \"['x', 'y']\", body: [{id: a, type: processor, agent_id: scorer}]}"
    done = _rehearse(flow, "mocks: {a: {output: 1}, 'm[1]/a': {output: 2}}")
    assert done.execution.output == [1, 2]


def test_a_node_that_takes_longer_than_it_may_times_out() -> None:
    flow = HEAD + "  - {id: a, type: processor, agent_id: scorer, timeout: 5, retry: {max_attempts: 1}}"
    done = _rehearse(flow, "mocks: {a: {output: 1, takes: 6}}")
    assert done.execution.error is not None
    assert done.execution.error["code"] == "timeout"
    assert done.seconds == 5


def test_an_execution_that_takes_longer_than_it_may_times_out() -> None:
    flow = "timeout: 1h\n" + HEAD + "  - {id: w, type: wait, signal: never}"
    done = _rehearse(flow)
    assert (done.execution.status, done.seconds) == ("timed_out", 3600)


def test_an_approval_waits_out_its_time_unless_somebody_answers() -> None:
    assert _rehearse(ASK).seconds == 3600
    done = _rehearse(ASK, "answers: {ask: {approved: true, room: 7}}")
    assert (done.execution.output, done.seconds) == ({"approved": True, "room": 7, "by": "test"}, 0)


def test_an_answer_that_misses_the_form_is_refused() -> None:
    with pytest.raises(RehearsalError, match=r"the answer to `ask` is refused: .*room"):
        _rehearse(ASK, "answers: {ask: {approved: true}}")


def test_an_agent_without_an_answer_cannot_be_rehearsed() -> None:
    with pytest.raises(RehearsalError, match="`a` calls the agent `scorer`, and the case has no answer"):
        _rehearse(CALL)


def test_an_input_that_misses_the_schema_is_refused() -> None:
    with pytest.raises(RehearsalError, match=r"the input is refused: .*amount"):
        _rehearse("input_schema: {required: [amount]}\n" + HEAD + "  - {id: a, type: input}")


def test_time_starts_when_the_case_says() -> None:
    flow = HEAD + "  - {id: w, type: wait, until: '2030-01-31T09:00:00Z'}"
    assert _rehearse(flow, "now: '2030-01-31T08:59:00Z'").seconds == 60


def test_what_followed_an_early_join_stays_when_a_late_branch_ends() -> None:
    flow = HEAD + (
        "  - id: l\n    type: loop\n    max_iterations: 1\n    body:\n"
        "      - {id: near, type: processor, agent_id: scorer}\n"
        "      - {id: far, type: processor, agent_id: scorer}\n"
        "      - {id: first, type: join, depends_on: [near, far], strategy: first_complete}\n"
        "      - {id: use, type: output, depends_on: [first]}\n"
    )
    done = _rehearse(flow, "mocks: {near: {output: near}, far: {output: far, takes: 5}}")
    assert done.execution.output["results"] == ["near"]
    assert done.seconds == 5


def test_a_node_in_line_for_a_mutex_has_not_begun() -> None:
    nodes = "".join(f"  - {{id: {name}, type: processor, agent_id: scorer, mutex: m}}\n" for name in "ab")
    done = _rehearse(HEAD + nodes, "mocks: {a: {takes: 5}, b: {takes: 1}}")
    assert (began(done), done.seconds) == (["a", "b"], 6)


def test_what_is_not_as_expected_is_told() -> None:
    flow = validation.load(CALL)
    case = _case("mocks: {a: {output: 7}}, expect: {output: 8, path: [a], nodes: {a: {attempts: 2, output: 7}}}")
    assert differences(case, rehearse(flow, case)) == (
        Difference(what="output", expected=8, actual=7),
        Difference(what="a.attempts", expected=2, actual=1),
    )


def test_a_case_that_names_no_status_expects_completion() -> None:
    case = _case("mocks: {a: {error: agent_error}}")
    found = differences(case, rehearse(validation.load(CALL), case))
    assert [each.what for each in found] == ["status", "error"]


def test_an_output_of_nothing_can_be_expected() -> None:
    case = _case("mocks: {a: {output: 7}}, expect: {output: null}")
    assert differences(case, rehearse(validation.load(CALL), case)) == (
        Difference(what="output", expected=None, actual=7),
    )


def test_echo_answers_itself_and_its_sleep_passes_at_once() -> None:
    config = "config: {sleep_seconds: 60, fail_first: 1, output: 7}, retry: {initial_delay: 10, jitter: none}"
    done = _rehearse(HEAD + f"  - {{id: a, type: processor, agent_id: echo, {config}}}")
    assert (done.execution.output, done.nodes["a"].attempt, done.seconds) == (7, 2, 60 + 10 + 60)
