"""Joins whose branches can never come together, and maps over what is never a list."""

from __future__ import annotations

import pytest

from aispine.flow.validation import check

HEAD = "flow_id: f\nversion: 1.0.0\nnodes:\n"
ASK = "  - {id: ask, type: decision, condition: input.x, then: yes_, else: no_}\n"
LEAVES = "".join(f"  - {{id: {name}, type: transform}}\n" for name in ("yes_", "no_"))
FREE = "  - {id: free, type: transform}\n"


def _found(*nodes: str) -> list[tuple[str, str]]:
    return [(each.code, each.message) for each in check(HEAD + "".join(nodes))[1]]


def _join(n: int, *names: str) -> str:
    return f"  - {{id: j, type: join, depends_on: [{', '.join(names)}], strategy: n_of_m, n: {n}}}\n"


def _after(name: str, *sources: str) -> str:
    return f"  - {{id: {name}, type: transform, depends_on: [{', '.join(sources)}]}}\n"


def test_both_sides_of_a_decision_never_meet() -> None:
    assert _found(ASK, LEAVES, _join(2, "yes_", "no_")) == [
        ("never_met", "`n` is 2, but `ask` lets at most 1 of them run")
    ]


def test_a_choice_counts_however_far_away_it_was_made() -> None:
    nodes = [ASK, LEAVES, _after("a", "yes_"), _after("b", "a"), _after("c", "no_")]
    assert _found(*nodes, _join(2, "b", "c")) == [("never_met", "`n` is 2, but `ask` lets at most 1 of them run")]


def test_a_failure_and_what_follows_a_success_never_meet() -> None:
    nodes = ["  - {id: a, type: processor, agent_id: x, on_error: mend}\n", "  - {id: mend, type: transform}\n"]
    assert [code for code, _ in _found(*nodes, _after("b", "a"), _join(2, "mend", "b"))] == ["never_met"]


@pytest.mark.parametrize(
    "nodes",
    [
        [ASK, LEAVES, _join(1, "yes_", "no_")],
        [ASK, LEAVES, FREE, _join(2, "yes_", "no_", "free")],
        [ASK, LEAVES, _after("both", "yes_", "no_"), FREE, _join(2, "both", "free")],
        [ASK.replace("no_", "[yes_, no_]"), LEAVES, _join(2, "yes_", "no_")],
        [ASK, LEAVES, _after("a", "yes_"), _after("b", "yes_"), _join(2, "a", "b")],
        [ASK, LEAVES, "  - {id: j, type: join, depends_on: [yes_, no_]}\n"],
        [FREE, _after("a", "free"), _after("b", "free"), _join(2, "a", "b")],
    ],
)
def test_branches_that_can_meet_are_let_through(nodes: list[str]) -> None:
    assert _found(*nodes) == []


@pytest.mark.parametrize(("items", "kind"), [("`3`", "a number"), ("'abc'", "a text"), ("`null`", "nothing")])
def test_a_map_over_a_constant_that_is_no_list_is_refused(items: str, kind: str) -> None:
    node = f'  - {{id: m, type: map, items: "{items}", body: [{{id: b, type: transform}}]}}\n'
    assert _found(node) == [("invalid_value", f"`items` is always {kind}, not a list")]


def test_a_map_over_a_constant_list_is_let_through() -> None:
    assert _found("  - {id: m, type: map, items: '`[1, 2]`', body: [{id: b, type: transform}]}\n") == []
