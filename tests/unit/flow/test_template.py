"""Selections and templates: what they give, what they read, and that their work is bounded."""

import contextlib
import json

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from aispine.errors import ExpressionError
from aispine.flow.expression import Selection, Template

SCOPE = {
    "input": {"name": "Ada", "n": 3, "list": [1, 2, 3], "big": "x" * 100_000, "none": None, "yes": True},
    "nodes": {"read": {"output": {"y": 1}}, "my-id": {"output": 7}},
    "item": {"a": 1},
}


@pytest.mark.parametrize(
    ("source", "value"),
    [
        ("${input.list}", [1, 2, 3]),
        ("${input.n}", 3),
        ("${input.none}", None),
        ("${input.missing.deeper}", None),
        ("${input.list[-1]}", 3),
        ("${input.list[9]}", None),
        ('${nodes."my-id".output}', 7),
        ("Hello ${input.name}, ${input.n}!", "Hello Ada, 3!"),
        ("<${input.none}>", "<>"),
        ("<${input.yes}>", "<true>"),
        ("<${input.list}${item}>", '<[1, 2, 3]{"a": 1}>'),
        ("$${input.name}", "${input.name}"),
        ("cost: $${5} ${input.n}", "cost: ${5} 3"),
        ("${input.{who: name, n: n}}", {"who": "Ada", "n": 3}),
        ("${'}'}", "}"),
        ('${`{"a": {}}`.a}', {}),
        ("${length(input.list)}", 3),
        ("${input.list[?@ > `1`]}", [2, 3]),
        ("${join(', ', ['a', 'b'])}", "a, b"),
        ("${to_string(item)}", '{"a":1}'),
        ({"a": ["${input.n}", {"b": "${input.name}"}], "c": 1}, {"a": [3, {"b": "Ada"}], "c": 1}),
        ("plain", "plain"),
        ("$", "$"),
        ("$ {x}", "$ {x}"),
        (None, None),
        (12.5, 12.5),
        ([], []),
    ],
)
def test_a_template_renders(source, value):
    assert Template.parse(source).render(SCOPE) == value


def test_a_lone_selection_keeps_the_very_value():
    assert Template.parse("${input.list}").render(SCOPE) is SCOPE["input"]["list"]


def test_a_constant_is_returned_without_work():
    source = {"a": [1, {"b": "text"}]}
    template = Template.parse(source)
    assert template.constant
    assert template.render({}) is source


@pytest.mark.parametrize(
    ("source", "column"),
    [
        ("a ${", 3),
        ("${}", 3),
        ("${input.}", 9),
        ("x ${foo(input)}", 5),
        ("${length()}", 3),
        ("${length(input, input)}", 3),
        ("${nodes.my-id}", 11),
        ("${inptu.x}", 3),
        ("${input.x | `}", 1),
        ("${" + "(" * 3_000 + "}", None),
        ("${" + "input." * 900 + "x}", None),
        ("${" + "[@,@][] | " * 300 + "@}", None),
    ],
)
def test_a_malformed_template_tells_the_column(source, column):
    with pytest.raises(ExpressionError) as caught:
        Template.parse(source)
    assert column in {None, caught.value.errors[0]["column"]}


@pytest.mark.parametrize(
    ("source", "hint"),
    [
        ("${inptu.x}", "Did you mean `input`?"),
        ("${lenght(input)}", "Did you mean `length`?"),
        ("${nodes.my-id.output}", "is quoted"),
        ("${input.x", "$${"),
    ],
)
def test_a_malformed_template_comes_with_a_hint(source, hint):
    with pytest.raises(ExpressionError) as caught:
        Template.parse(source)
    assert hint in (caught.value.hint or "")


@pytest.mark.parametrize(
    "source",
    [
        "${" + " | ".join(["[@, @]"] * 40) + "}",
        "${" + " | ".join(["[@, @]"] * 40) + " | to_string(@)}",
        "${" + " | ".join(["input.big", *["join('', [@, @])"] * 20]) + "}",
        "${" + " | ".join(["input.list", *["[@, @][]"] * 25]) + "}",
        "${`NaN`}",
        "${to_number('inf')}",
        "${join('', input.list)}",
        "${abs(input.name)}",
        "${input.big}" * 60,
        ["${input.big}"] * 60,
    ],
)
def test_what_cannot_be_had_or_grows_too_large_is_refused(source):
    with pytest.raises(ExpressionError):
        Template.parse(source).render(SCOPE)


@pytest.mark.parametrize(
    ("text", "nodes", "roots", "all_nodes"),
    [
        ("nodes.a.output", {"a"}, {"nodes"}, False),
        ('nodes."b-c".output[0].x', {"b-c"}, {"nodes"}, False),
        ("[nodes.a.x, nodes.b.y, input.z]", {"a", "b"}, {"nodes", "input"}, False),
        ("nodes.a.list[?x > `1`].nodes", {"a"}, {"nodes"}, False),
        ("nodes.a | b.c", {"a"}, {"nodes"}, False),
        ("values(nodes)", set(), {"nodes"}, True),
        ("nodes.*.output", set(), {"nodes"}, True),
        ("nodes | a", {"a"}, {"nodes"}, False),
        ("sort_by(input.x, &nodes)", set(), {"input"}, False),
        ("input.nodes.x", set(), {"input"}, False),
        ("{a: item, b: context.c || nodes.d.e}", {"d"}, {"item", "context", "nodes"}, False),
        ('`{"nodes": 1}`', set(), set(), False),
    ],
)
def test_a_selection_knows_what_it_reads(text, nodes, roots, all_nodes):
    found = Selection.parse(text).references
    assert (found.nodes, found.roots, found.all_nodes) == (nodes, roots, all_nodes)


def test_the_whole_scope_reads_everything():
    found = Selection.parse("@").references
    assert found.all_nodes
    assert "input" in found.roots


def test_a_template_reads_what_its_parts_read():
    template = Template.parse({"a": "${nodes.a.x} ${input.y}", "b": ["${nodes.b.z}"]})
    assert template.references.nodes == {"a", "b"}
    assert template.references.roots == {"nodes", "input"}


JSON = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(2**53), 2**53)
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(), inner, max_size=4),
    max_leaves=20,
)


@given(JSON)
@settings(deadline=None)
def test_a_value_without_placeholders_renders_to_itself(value):
    if "${" not in json.dumps(value, ensure_ascii=False):
        assert Template.parse(value).render({}) == value


@given(JSON)
@settings(deadline=None)
def test_a_lone_placeholder_gives_any_value_as_it_is(value):
    assert Template.parse("${input}").render({"input": value}) == value


@given(st.text(alphabet="${}input.nodes[]@&*|'\"`\\ ,:()?0a-!<=>", max_size=40))
@settings(max_examples=400, deadline=None)
def test_any_text_is_a_template_or_refused(text):
    with contextlib.suppress(ExpressionError):
        json.dumps(Template.parse("${" + text + "}").render(SCOPE), allow_nan=False)


def fed_with_itself(template, times):
    value = "x"
    for _ in range(times):
        value = template.render({"context": {"s": value}})
    return value


@pytest.mark.parametrize("source", [["${context.s}", "${context.s}"], {"a": "${context.s}", "b": ["${context.s}"]}])
def test_a_value_that_doubles_from_node_to_node_is_stopped_early(source):
    with pytest.raises(ExpressionError, match="larger than"):
        fed_with_itself(Template.parse(source), 60)


def test_a_value_that_deepens_from_node_to_node_is_stopped():
    template = Template.parse({"inner": "${context.s}"})
    assert json.dumps(fed_with_itself(template, 200)).count("inner") == 200
    with pytest.raises(ExpressionError, match="nested deeper"):
        fed_with_itself(template, 201)


@pytest.mark.parametrize(
    "source",
    [
        "${input.list" + "[].[@, @]|[]" * 14 + "|length(@)}",
        "${input.list" + "|[?@ > `0`]" * 40 + "|length(@)}",
    ],
)
def test_a_selection_that_would_take_a_minute_is_given_up(source):
    with pytest.raises(ExpressionError, match=r"too much work|larger than"):
        Template.parse(source).render({"input": {"list": list(range(1, 100_000))}})


def test_a_selection_may_go_through_ten_thousand_items_several_times():
    items = [{"id": number, "score": number % 7, "tags": ["a", "b"]} for number in range(10_000)]
    source = "${input.list[?score > `3` && contains(tags, 'a')].{id: id, score: score} | sort_by(@, &score)[-1].score}"
    assert Template.parse(source).render({"input": {"list": items}}) == 6
