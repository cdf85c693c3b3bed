"""Flow files as they are loaded, and every mistake with its code, place, node and hint."""

import pytest

from aispine.errors import InvalidFlow
from aispine.flow.model import NodeType, Position, RetryPolicy
from aispine.flow.validation import is_test_file, load
from tests.unit.flow.documents import HEAD, START, codes, problems

OLDER = """\
flow_id: credit_analysis
name: "Análisis de Crédito"
version: "1.0.0"
entry_point: "zoe"
exit_points: ["result"]
nodes:
  - {id: zoe, agent_id: zoe, type: input, depends_on: [], config: {max_turns: 5}, metadata: {description: "..."}}
  - {id: eddie, agent_id: eddie, type: processor, depends_on: [zoe], config: {timeout: 60, risk_threshold: 0.7}}
  - {id: result, type: output, depends_on: [eddie], config: {format: json, include_metadata: true}}
"""

WHOLE = """\
flow_id: hotel_checkin
version: 1.2.0
name: Hotel check-in
input_schema: {type: object, required: [document]}
context: {threshold: 0.85}
defaults: {timeout: 30, retry: {max_attempts: 3}}
timeout: 7200
nodes:
  - {id: receive, type: input}
  - id: read
    type: agent
    agent: ocr_structured@^1.0
    depends_on: [receive]
    input: {file: "${input.document}"}
    retry_policy: {max_attempts: 4, backoff: exponential, initial_delay: 1, multiplier: 2, max_delay: 60, jitter: full,
                   retry_on: [timeout, unavailable, rate_limited]}
    on_error: ask_staff
    set: {guest: "${output.fields.name}"}
  - id: sure
    type: conditional
    depends_on: [read]
    condition: output.confidence >= context.threshold and not output.expired
    then_node: match
    else_node: ask_staff
  - {id: match, type: processor, agent_id: reservation_check, timeout: 2m}
  - {id: ask_staff, type: approval, timeout: 3600, on_timeout: reject}
  - {id: done, type: output, depends_on: [match, ask_staff]}
output: ${nodes.done.output}
"""


def test_the_older_format_loads_unchanged():
    flow = load(OLDER)
    zoe, eddie, result = flow.nodes
    assert (flow.flow_id, flow.name, flow.version) == ("credit_analysis", "Análisis de Crédito", "1.0.0")
    assert (flow.entry_point, flow.exit_points) == ("zoe", ("result",))
    assert (zoe.type, zoe.agent_id, zoe.metadata) == (NodeType.INPUT, "zoe", {"description": "..."})
    assert (eddie.timeout, eddie.config["risk_threshold"]) == (60.0, 0.7)
    assert (result.type, result.makes_call) == (NodeType.OUTPUT, False)


def test_every_key_reaches_the_model():
    flow = load(WHOLE)
    receive, read, sure, match, ask, done = flow.nodes
    assert (receive.timeout, receive.retry) == (None, None)
    assert (read.type, read.agent_id, read.agent_version) == (NodeType.PROCESSOR, "ocr_structured", "^1.0")
    assert (read.timeout, read.retry) == (30.0, RetryPolicy(max_attempts=4))
    assert (read.on_error, read.position) == ("ask_staff", Position(line=10, column=5))
    assert read.set["guest"].render({"output": {"fields": {"name": "Ada"}}}) == "Ada"
    assert [(choice.label, choice.then) for choice in sure.choices] == [("then", ("match",)), ("else", ("ask_staff",))]
    assert sure.timeout is None
    assert (match.timeout, match.retry) == (120.0, RetryPolicy(max_attempts=3))
    assert (ask.timeout, ask.approval.on_timeout) == (3600.0, "reject")
    assert done.depends_on == ("match", "ask_staff")
    assert flow.output.references.nodes == {"done"}


def test_every_control_construct_reaches_the_model():
    flow = load(
        HEAD
        + START
        + """\
  - id: sort
    type: switch
    depends_on: [a]
    cases:
      - {when: output.kind == 'x', then: pages}
      - {when: output.kind == 'y', then: [poll, both]}
    default: child
  - id: pages
    type: map
    items: output.pages
    max_concurrency: 20
    on_item_error: continue
    complete_when: len(output) > 3
    body: [{id: ocr, type: processor, agent_id: ocr, input: "${item}"}]
  - id: poll
    type: loop
    max_iterations: 10
    until_condition: nodes.look.output.done
    delay: 5s
    on_exhausted: continue
    loop_body:
      - {id: look, type: processor, agent_id: look, input: {n: "${iteration}", before: "${loop_output}"}}
      - {id: inner, type: loop, depends_on: [look], max_iterations: 2, body: [{id: deep, type: transform}]}
  - id: both
    type: fork
    branches:
      fast: [{id: quick, type: transform}]
      slow: [{id: thorough, type: transform}]
  - {id: meet, type: join, depends_on: [both], strategy: n_of_m, n: 2, cancel_rest: true}
  - {id: child, type: subflow, flow_id: other, version: ^2.0, input: "${input}"}
  - {id: pause, type: wait, depends_on: [child], seconds: 15m}
  - {id: later, type: wait, depends_on: [pause], until: "2030-01-31T09:00:00+01:00"}
  - {id: paid, type: wait, depends_on: [later], signal: payment, timeout: 1d, on_timeout: continue}
  - {id: mail, type: tool, depends_on: [paid], tool: send_email}
  - {id: ask, type: approval, depends_on: [mail], form: {type: object}}
"""
    )
    by_id = {node.id: node for node in flow.nodes}
    assert [choice.label for choice in by_id["sort"].choices] == ["cases[0]", "cases[1]", "default"]
    assert by_id["sort"].choices[1].then == ("poll", "both")
    assert by_id["pages"].map.body[0].id == "ocr"
    assert by_id["pages"].map.max_concurrency == 20
    assert (by_id["poll"].loop.delay, by_id["poll"].loop.on_exhausted) == (5.0, "continue")
    assert by_id["poll"].loop.body[1].loop.body[0].id == "deep"
    assert list(by_id["both"].fork.branches) == ["fast", "slow"]
    assert (by_id["meet"].join.n, by_id["meet"].join.cancel_rest) == (2, True)
    assert (by_id["child"].subflow.flow_id, by_id["child"].subflow.version) == ("other", "^2.0")
    assert by_id["pause"].wait.seconds.render({}) == 900.0
    assert by_id["paid"].timeout == 86_400.0
    assert by_id["mail"].tool_id == "send_email"
    assert by_id["ask"].approval.form == {"type": "object"}


def test_older_guards_are_conditions():
    text = (
        HEAD
        + START
        + (
            "  - {id: b, type: transform, depends_on: [a], conditions: ['input.x > 1', "
            "{field: input.kind, operator: equals, value: vip}]}\n"
            "  - {id: c, type: transform, depends_on: [a], conditions: input.x == 2}\n"
        )
    )
    _, b, c = load(text).nodes
    assert [guard.evaluate({"input": {"x": 2, "kind": "vip"}}) for guard in (*b.guard, *c.guard)] == [True] * 3


def test_depends_on_and_then_take_one_id_or_several():
    text = HEAD + START + "  - {id: b, type: decision, depends_on: a, condition: true, then: [c, d]}\n"
    text += "  - {id: c, type: transform}\n  - {id: d, type: transform}\n"
    assert load(text).nodes[1].choices[0].then == ("c", "d")


def test_the_order_of_nodes_does_not_matter():
    assert codes(HEAD + "  - {id: b, type: output, depends_on: [a]}\n" + START) == []


def test_keys_of_the_user_are_ignored():
    assert codes("x-anchors: {a: &t {timeout: 3}}\n" + HEAD + START) == []


MISTAKES = [
    ("a node without an id", "  - {type: transform}\n", "missing_key", 4, 5, None),
    ("an id that is no id", "  - {id: 1a, type: input}\n", "invalid_value", 4, 10, "letter"),
    ("a reserved id", "  - {id: continue, type: input}\n", "invalid_value", 4, 10, None),
    ("no type", "  - {id: b}\n", "missing_key", 4, 5, "type: processor"),
    (
        "an unknown type",
        "  - {id: b, type: procesor, agent_id: e}\n",
        "unknown_type",
        4,
        19,
        "Did you mean `processor`?",
    ),
    ("an unknown key", "  - {id: b, type: input, depend_on: []}\n", "unknown_key", 4, 26, "`depends_on`"),
    ("a key of another type", "  - {id: b, type: transform, body: []}\n", "misplaced_key", 4, 30, "loop, map"),
    ("no agent", "  - {id: b, type: processor}\n", "missing_key", 4, 5, "agent_id"),
    ("a bad agent", "  - {id: b, type: processor, agent_id: 'a b'}\n", "invalid_value", 4, 40, "name@range"),
    ("a bad range", "  - {id: b, type: processor, agent_id: x@^^}\n", "invalid_range", 4, 40, "^1.0"),
    ("a dangling dependency", "  - {id: b, type: output, depends_on: [x]}\n", "dangling_reference", 4, 40, None),
    ("itself", "  - {id: b, type: output, depends_on: [b]}\n", "self_reference", 4, 40, None),
    ("a dangling handler", "  - {id: b, type: input, on_error: x}\n", "dangling_reference", 4, 36, None),
    ("a negative timeout", "  - {id: b, type: input, timeout: -1}\n", "invalid_duration", 4, 35, "30s"),
    ("no time at all", "  - {id: b, type: input, timeout: 0}\n", "invalid_duration", 4, 35, None),
    ("a long timeout", "  - {id: b, type: input, timeout: 367d}\n", "invalid_duration", 4, 35, None),
    ("no duration", "  - {id: b, type: input, timeout: soon}\n", "invalid_duration", 4, 35, "30s"),
    ("a boolean timeout", "  - {id: b, type: input, timeout: true}\n", "invalid_duration", 4, 35, None),
    ("a list of dependencies that is none", "  - {id: b, type: input, depends_on: {}}\n", "invalid_type", 4, 38, None),
    ("a bad older timeout", "  - {id: b, type: input, config: {timeout: x}}\n", "invalid_duration", 4, 44, None),
    ("a node that is none", "  - text\n", "invalid_type", 4, 5, None),
    ("no attempts", "  - {id: b, type: input, retry: {max_attempts: 0}}\n", "invalid_value", 4, 48, None),
    ("half attempts", "  - {id: b, type: input, retry: {max_attempts: 1.5}}\n", "invalid_type", 4, 48, None),
    ("an unknown backoff", "  - {id: b, type: input, retry: {backoff: linaer}}\n", "invalid_value", 4, 43, "linear"),
    ("an unknown failure", "  - {id: b, type: input, retry: {retry_on: [oops]}}\n", "invalid_value", 4, 44, None),
    ("an unknown key of retry", "  - {id: b, type: input, retry: {max: 1}}\n", "unknown_key", 4, 34, None),
    ("two names of a key", "  - {id: b, type: processor, agent: x, agent_id: y}\n", "duplicate_key", 4, 40, None),
    ("a malformed template", '  - {id: b, type: transform, input: "x ${a.}"}\n', "invalid_expression", 4, 44, None),
    ("an unknown root", '  - {id: b, type: transform, input: "${inptu}"}\n', "invalid_expression", 4, 40, "`input`"),
    ("an unknown node", '  - {id: b, type: transform, input: "${nodes.x}"}\n', "dangling_reference", 4, 37, None),
    ("an item outside of a map", '  - {id: b, type: transform, input: "${item}"}\n', "out_of_scope", 4, 37, None),
    ("a join of nothing", "  - {id: b, type: join}\n", "join_of_nothing", 4, 5, "depends_on"),
    ("a wait for nothing", "  - {id: b, type: wait}\n", "missing_key", 4, 5, None),
    ("a timeout's way out", "  - {id: b, type: wait, signal: x, on_timeout: fail}\n", "missing_key", 4, 36, "1d"),
    ("an answer's way out", "  - {id: b, type: approval, on_timeout: reject}\n", "missing_key", 4, 29, "1d"),
    ("a wait for two", "  - {id: b, type: wait, seconds: 1, signal: x}\n", "missing_key", 4, 5, None),
    ("a bad timestamp", "  - {id: b, type: wait, until: tomorrow}\n", "invalid_value", 4, 32, "2030"),
    ("a loop without a bound", "  - {id: b, type: loop, body: [{id: c, type: input}]}\n", "missing_key", 4, 5, "10"),
    ("a loop without a body", "  - {id: b, type: loop, max_iterations: 1}\n", "missing_key", 4, 5, None),
    ("an empty body", "  - {id: b, type: loop, max_iterations: 1, body: []}\n", "invalid_value", 4, 50, None),
    ("a decision without a way", "  - {id: b, type: decision, condition: true}\n", "missing_key", 4, 5, None),
    ("a bad form", "  - {id: b, type: approval, form: {type: x}}\n", "invalid_schema", 4, 35, None),
    ("no branches", "  - {id: b, type: fork, branches: {}}\n", "invalid_value", 4, 35, "at least one"),
    ("a bad branch", "  - {id: b, type: fork, branches: {x: 1}}\n", "invalid_type", 4, 39, None),
]


@pytest.mark.parametrize(
    ("nodes", "code", "line", "column", "hint"), [each[1:] for each in MISTAKES], ids=[m[0] for m in MISTAKES]
)
def test_a_mistake_in_a_node_is_the_only_problem_and_has_its_place(nodes, code, line, column, hint):
    found = problems(HEAD + nodes)
    assert [(each.code, each.line, each.column) for each in found] == [(code, line, column)]
    assert hint is None or hint in found[0].hint


CONDITIONS = [
    ("output.x > > 3", 12),
    ("output.__class__ == 1", 1),
    ("().__class__.__base__", 1),
    ("9 ** 9 ** 9 > 1", 1),
    ("open('x')", 1),
    ("[x for x in output]", 1),
]


@pytest.mark.parametrize(("condition", "column"), CONDITIONS)
def test_a_malformed_condition_is_shown_inside_its_text(condition, column):
    text = HEAD + START + f'  - {{id: b, type: decision, depends_on: [a], then: c, condition: "{condition}"}}\n'
    found = problems(text + "  - {id: c, type: output}\n")
    assert [(each.code, each.line, each.column, each.node) for each in found] == [
        ("invalid_expression", 5, 66 + column, "b")
    ]


@pytest.mark.parametrize(
    ("text", "code", "line"),
    [
        ("version: 1.0.0\nnodes:\n" + START, "missing_key", 1),
        ("flow_id: f\nnodes:\n" + START, "missing_key", 1),
        ("flow_id: f\nversion: 1.0.0\n", "missing_key", 1),
        ("flow_id: f\nversion: 1.0.0\nnodes: []\n", "invalid_value", 3),
        ("flow_id: a b\nversion: 1.0.0\nnodes:\n" + START, "invalid_value", 1),
        ("flow_id: f\nversion: 1.0\nnodes:\n" + START, "invalid_type", 2),
        ("flow_id: f\nversion: '1.0'\nnodes:\n" + START, "invalid_version", 2),
        ("timeout: -3\n" + HEAD + START, "invalid_duration", 1),
        ("timeot: 3\n" + HEAD + START, "unknown_key", 1),
        ("input_schema: {type: objct}\n" + HEAD + START, "invalid_schema", 1),
        ("input_schema: {$ref: 'http://example.org/x'}\n" + HEAD + START, "invalid_schema", 1),
        ("input_schema: {$ref: '#'}\n" + HEAD + START, "invalid_schema", 1),
        ("entry_point: x\n" + HEAD + START, "dangling_reference", 1),
        ("exit_points: [x]\n" + HEAD + START, "dangling_reference", 1),
        ("on_error: continue\n" + HEAD + START, "dangling_reference", 1),
        ("output: '${nodes.x}'\n" + HEAD + START, "dangling_reference", 1),
        ("defaults: {pool: io}\n" + HEAD + START, "unknown_key", 1),
        ("mocks: {}\n" + HEAD + START, "misplaced_key", 1),
        ("", "empty", None),
    ],
)
def test_a_mistake_in_the_flow_itself(text, code, line):
    assert [(each.code, each.line) for each in problems(text)] == [(code, line)]


def test_all_problems_come_at_once_in_the_order_of_the_lines():
    text = (
        "flow_id: f\nversion: 1.0\nnodes:\n"
        "  - {id: a, type: inpt}\n"
        "  - {id: b, type: processor, agent_id: x, depends_on: [zz], timeout: -5}\n"
        "  - {id: b, type: transform, depends_on: [c]}\n"
        "  - {id: c, type: transform, depends_on: [d]}\n"
        "  - {id: d, type: transform, depends_on: [c], foo: 1}\n"
        "  - {id: e, type: decision, condition: output. ==, then: d}\n"
    )
    found = problems(text)
    assert {"invalid_type", "unknown_type", "dangling_reference", "invalid_duration", "duplicate_id", "cycle"} <= {
        each.code for each in found
    }
    assert {"unknown_key", "invalid_expression"} <= {each.code for each in found}
    assert [each.line for each in found] == sorted(each.line for each in found)


def test_load_raises_with_every_problem_as_data():
    with pytest.raises(InvalidFlow) as caught:
        load(HEAD + "  - {id: b, type: processor, foo: 1}\n", "my.yaml")
    first, second = caught.value.errors
    assert {first["code"], second["code"]} == {"missing_key", "unknown_key"}
    assert first["file"] == "my.yaml"
    assert first["line"] == 4
    assert "my.yaml:4:5" in caught.value.message


def test_five_thousand_nodes_are_accepted_and_one_over_the_limit_is_refused():
    assert len(load(HEAD + "".join(_chain(5_000))).nodes) == 5_000
    (found,) = problems(HEAD + "".join(_chain(10_001)))
    assert found.code == "too_large"
    assert "10,000 nodes" in found.message


def _chain(count):
    yield "  - {id: n0, type: input}\n"
    for index in range(1, count):
        yield f"  - {{id: n{index}, type: transform, depends_on: [n{index - 1}]}}\n"


def test_bodies_stand_inside_bodies_to_a_bound():
    def nested(depth):
        inner = "{id: x, type: transform}"
        for level in range(depth):
            inner = f"{{id: l{level}, type: loop, max_iterations: 1, body: [{inner}]}}"
        return f"{HEAD}  - {inner}\n"

    assert codes(nested(8)) == []
    assert codes(nested(9)) == ["too_deep"]


def test_a_test_file_is_known_by_its_name():
    assert is_test_file("flows/triage.test.yaml")
    assert not is_test_file("flows/triage.yaml")


def test_the_bound_of_a_loop_has_a_ceiling_of_the_installation():
    loop = "{id: l, type: loop, max_iterations: 11, body: [{id: a, type: transform}]}"
    source = f"flow_id: f\nversion: 1.0.0\nnodes:\n  - {loop}\n"
    assert problems(source, max_iterations=11) == ()
    (problem,) = problems(source, max_iterations=10)
    assert problem.message == "`max_iterations`: must be at most 10, not 11"
    assert (problem.line, problem.node) == (4, "l")


@pytest.mark.parametrize(
    ("node", "code", "message"),
    [
        ("{id: a, type: transform, set: {break_loop: true}}", "out_of_scope", "there is no loop around this"),
        ("{id: a, type: wait, signal: paid/late}", "invalid_value", "`paid/late` is not the name of a signal"),
        ("{id: a, type: wait, signal: " + "s" * 201 + "}", "invalid_value", "is not the name of a signal"),
        ("{id: a, type: decision, condition: len(input.x), then: b}", "invalid_expression", "always a number"),
    ],
)
def test_what_could_never_work_is_a_problem_of_the_file(node, code, message):
    found = problems(f"flow_id: f\nversion: 1.0.0\nnodes:\n  - {node}\n  - {{id: b, type: transform}}\n")
    assert [problem.code for problem in found] == [code]
    assert message in found[0].message
