"""What leads to what: references, cycles, reach, and who writes what."""

from tests.unit.flow.documents import HEAD, START, codes, problems


def test_an_id_is_there_once_in_the_whole_file():
    text = HEAD + START + "  - {id: b, type: loop, depends_on: [a], max_iterations: 1, body: [{id: a, type: input}]}\n"
    (found,) = problems(text)
    assert (found.code, found.line, found.column, found.node) == ("duplicate_id", 5, 73, "a")
    assert "line 4" in found.message


def test_a_dangling_reference_suggests_the_id_that_was_meant():
    text = HEAD + "  - {id: receive, type: input}\n  - {id: receipt, type: output, depends_on: [recieve]}\n"
    (found,) = problems(text)
    assert (found.code, found.hint) == ("dangling_reference", "Did you mean `receive`?")


def test_a_cycle_over_all_kinds_of_edges_is_printed():
    text = (
        HEAD
        + START
        + (
            "  - {id: b, type: transform, depends_on: [a, d]}\n"
            "  - {id: c, type: decision, depends_on: [b], condition: true, then: d}\n"
            "  - {id: d, type: transform}\n"
        )
    )
    (found,) = problems(text)
    assert (found.code, found.line) == ("cycle", 5)
    assert "b -> c -> d -> b" in found.message


def test_every_separate_cycle_is_reported():
    text = HEAD + "".join(f"  - {{id: {x}, type: transform, depends_on: [{y}]}}\n" for x, y in ["ab", "ba", "cd", "dc"])
    assert codes(text) == ["cycle", "cycle"]


def test_a_node_that_nothing_leads_to_is_unreachable():
    (found,) = problems(HEAD + START + "  - {id: b, type: transform}\n  - {id: c, type: output, depends_on: [b]}\n")
    assert (found.code, found.node, found.line) == ("unreachable", "b", 5)
    assert "depends_on: [a]" in found.hint


def test_without_an_input_node_every_root_is_a_start():
    assert codes(HEAD + "  - {id: a, type: transform}\n  - {id: b, type: transform}\n") == []


def test_expressions_read_only_what_has_ended():
    text = (
        HEAD
        + START
        + (
            "  - {id: b, type: transform, depends_on: [a]}\n"
            '  - {id: c, type: transform, depends_on: [a], input: "${nodes.b.output}"}\n'
        )
    )
    (found,) = problems(text)
    assert (found.code, found.node) == ("not_an_ancestor", "c")
    assert "Add `b` to `depends_on`" in found.hint


def test_the_target_of_a_decision_may_read_what_led_to_it():
    text = (
        HEAD
        + START
        + (
            "  - {id: b, type: decision, depends_on: [a], condition: true, then: c}\n"
            '  - {id: c, type: transform, input: "${nodes.a.output} ${nodes.b.output}"}\n'
        )
    )
    assert codes(text) == []


def test_a_body_sees_what_came_before_its_container_and_nobody_sees_inside():
    text = (
        HEAD
        + START
        + (
            "  - id: b\n    type: map\n    depends_on: [a]\n    items: output.list\n"
            '    body: [{id: c, type: transform, input: "${nodes.a.output} ${item} ${index}"}]\n'
            '  - {id: d, type: transform, depends_on: [b], input: "${nodes.c.output}"}\n'
        )
    )
    (found,) = problems(text)
    assert (found.code, found.node) == ("not_an_ancestor", "d")
    assert "nodes.b.output" in found.hint


def test_a_control_target_inside_another_body_is_refused():
    text = (
        HEAD
        + START
        + (
            "  - {id: b, type: loop, depends_on: [a], max_iterations: 1, body: [{id: c, type: input, on_error: a}]}\n"
            "  - {id: d, type: decision, depends_on: [a], condition: true, then: c}\n"
        )
    )
    assert [(each.code, each.node) for each in problems(text)] == [
        ("dangling_reference", "c"),
        ("dangling_reference", "d"),
    ]


def test_n_is_not_larger_than_the_branches():
    text = (
        HEAD
        + START
        + (
            "  - {id: b, type: fork, depends_on: [a], branches: {x: [{id: c, type: transform}]}}\n"
            "  - {id: d, type: join, depends_on: [b], strategy: n_of_m, n: 2}\n"
        )
    )
    assert [(each.code, each.node) for each in problems(text)] == [("invalid_value", "d")]


def writers(*nodes):
    return codes(HEAD + START + "".join(f"  - {{{node}}}\n" for node in nodes))


def test_two_unordered_writers_of_one_key_are_a_problem():
    assert writers(
        "id: b, type: transform, depends_on: [a], set: {k: 1}", "id: c, type: transform, depends_on: [a], set: {k: 2}"
    ) == ["context_conflict"]


def test_ordered_writers_are_fine():
    assert (
        writers(
            "id: b, type: transform, depends_on: [a], set: {k: 1}",
            "id: c, type: transform, depends_on: [b], set: {k: 2}",
        )
        == []
    )


def test_writers_of_which_only_one_can_run_are_fine():
    assert (
        writers(
            "id: q, type: decision, depends_on: [a], condition: true, then: b, else: c",
            "id: b, type: transform, set: {k: 1}",
            "id: c, type: transform",
            "id: d, type: transform, depends_on: [c], set: {k: 2}",
        )
        == []
    )
    assert (
        writers(
            "id: b, type: transform, depends_on: [a], on_error: c",
            "id: c, type: transform, set: {k: 1}",
            "id: d, type: transform, depends_on: [b], set: {k: 2}",
        )
        == []
    )


def test_writers_after_the_branches_have_met_again_do_conflict():
    assert writers(
        "id: q, type: decision, depends_on: [a], condition: true, then: b, else: c",
        "id: b, type: transform",
        "id: c, type: transform",
        "id: d, type: transform, depends_on: [b, c], set: {k: 1}",
        "id: e, type: transform, depends_on: [c], set: {k: 2}",
    ) == ["context_conflict"]


def test_a_loop_writes_what_its_body_writes_and_a_map_does_not():
    inner = "body: [{id: x, type: transform, set: {k: 1}}]"
    other = "id: c, type: transform, depends_on: [a], set: {k: 2}"
    assert writers(f"id: b, type: loop, depends_on: [a], max_iterations: 1, {inner}", other) == ["context_conflict"]
    assert writers(f"id: b, type: map, depends_on: [a], items: output, {inner}", other) == []


def test_a_node_of_a_branch_may_leave_the_loop_around_the_fork():
    body = "[{id: f, type: fork, branches: {one: [{id: a, type: transform, set: {break_loop: true}}]}}]"
    source = f"flow_id: f\nversion: 1.0.0\nnodes:\n  - {{id: l, type: loop, max_iterations: 9, body: {body}}}\n"
    assert problems(source) == ()
