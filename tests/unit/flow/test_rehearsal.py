"""Reading test files."""

from __future__ import annotations

import pytest
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st

from aispine.flow import validation
from aispine.flow.rehearsal import Mock, Rehearsals, Sent, check, misfits

FLOW = """
flow_id: f
version: 1.0.0
nodes:
  - {id: a, type: input}
  - id: poll
    type: loop
    max_iterations: 3
    depends_on: [a]
    body: [{id: check, type: processor, agent_id: checker}]
"""


def _read(case: str) -> Rehearsals:
    found, problems = check(f"flow: f.yaml\ncases:\n  - {case}\n", "f.test.yaml")
    assert found is not None, problems
    return found


def _problems(case: str) -> list[tuple[str, int | None]]:
    _, problems = check(f"flow: f.yaml\ncases:\n  - {case}\n", "f.test.yaml")
    return [(each.code, each.column) for each in problems]


def test_a_test_file_is_read() -> None:
    (case,) = _read(
        "{name: x, input: {n: 1}, mocks: {check: [{error: timeout, takes: 2s}, {output: 3}]}, "
        "signals: [{name: go, at: 1m, payload: 5}], expect: {status: failed, path: [a], nodes: {a: skipped}}}"
    ).cases
    assert case.input == {"n": 1}
    assert case.mocks == {"check": (Mock(code="timeout", takes=2.0), Mock(output=3))}
    assert case.signals == (Sent(name="go", at=60.0, payload=5),)
    assert case.expected == {"status": "failed", "path": ("a",)}
    assert case.nodes == {"a": {"status": "skipped"}}


@pytest.mark.parametrize(
    ("case", "code"),
    [
        ("{name: x}", "missing_key"),
        ("{expect: {}}", "missing_key"),
        ("{name: x, expect: {}, inpt: 1}", "unknown_key"),
        ("{name: x, expect: {status: done}}", "invalid_value"),
        ("{name: x, expect: {}, mocks: {a: 3}}", "invalid_type"),
        ("{name: x, expect: {}, mocks: {a: []}}", "invalid_value"),
        ("{name: x, expect: {}, mocks: {a: {output: 1, error: timeout}}}", "misplaced_key"),
        ("{name: x, expect: {}, mocks: {a: {error: 3}}}", "invalid_type"),
        ("{name: x, expect: {}, signals: [{at: 3}]}", "missing_key"),
        ("{name: x, expect: {}, answers: {a: yes please}}", "invalid_type"),
        ("{name: x, expect: {}, now: tomorrow}", "invalid_value"),
        ("{name: x, expect: {}, now: 9999-12-31}", "invalid_value"),
        ("{name: x, expect: {}, cancel_at: soon}", "invalid_duration"),
        ("{name: x, expect: {nodes: {a: ready}}}", "invalid_value"),
        ("three", "invalid_type"),
    ],
)
def test_what_is_wrong_is_told_with_its_place(case: str, code: str) -> None:
    found = _problems(case)
    assert [each[0] for each in found] == [code]
    assert found[0][1] is not None


def test_nodes_that_the_flow_does_not_have_are_told() -> None:
    test = _read(
        "{name: x, mocks: {chek: {output: 1}, 'poll[1]/check': {output: 1}, 'pol[1]/check': {output: 1}}, "
        "expect: {path: [a, poll, 'poll[0]/check', 'poll[0]'], nodes: {b: skipped}}}"
    )
    found = misfits(test, validation.load(FLOW), "f.test.yaml")
    assert sorted(each.message for each in found) == [
        "`mocks`: the flow has no node `chek`",
        "`mocks`: the flow has no node `pol[1]/check`",
        "`nodes`: the flow has no node `b`",
        "`path`: the flow has no node `poll[0]`",
    ]
    assert all(each.line == 3 for each in found)


def test_answers_that_nobody_asks_for_are_told() -> None:
    test = _read("{name: x, mocks: {a: {output: 1}}, answers: {'poll[0]/check': {approved: true}}, expect: {}}")
    found = misfits(test, validation.load(FLOW), "f.test.yaml")
    assert [each.message for each in found] == [
        "`mocks`: `a` calls no agent and no tool and runs no other flow",
        "`answers`: `poll[0]/check` is no approval",
    ]


KEYS = ("name", "input", "mocks", "signals", "answers", "expect", "status", "output", "error", "path", "nodes", "now")
WORDS = st.sampled_from((*KEYS, "takes", "at", "payload", "cancel_at", "code", "approved", "a", "poll[0]/check"))
VALUES = st.recursive(
    WORDS | st.sampled_from([None, True, 3, -1, 1.5, "", "30s"]),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(WORDS, inner, max_size=5),
    max_leaves=20,
)


@given(st.dictionaries(WORDS, VALUES, max_size=8))
@settings(max_examples=200, deadline=None)
def test_any_case_is_read_or_refused(case: dict[str, object]) -> None:
    found, problems = check(yaml.safe_dump({"flow": "f.yaml", "cases": [case]}), "f.test.yaml")
    assert found is not None or problems
