"""What a test file says: cases with the answers of agents and people, and what must come of each."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any, Final

from aispine.flow import paths
from aispine.flow.model import Flow, Node
from aispine.flow.plan import Plan, plan
from aispine.flow.problem import Problem, Report
from aispine.flow.reader import DEFAULT_LIMITS, read
from aispine.flow.reading import Link, Reading, did_you_mean
from aispine.flow.rehearsal_keys import (
    EXPECT_KEYS,
    MOCK_KEYS,
    NODE_EXPECT_KEYS,
    REHEARSAL_KEYS,
    SIGNAL_KEYS,
    TEST_KEYS,
)
from aispine.flow.section import Table, is_mapping, read_section, table
from aispine.flow.tree import Limits, Tree

START: Final = datetime(2026, 1, 1, tzinfo=UTC)
_YEARS: Final = range(1970, 3000)
"""What a case may take as its time: waits count from it, and no calendar goes on for ever."""
SAYS: Final = "as the test says"


@dataclass(frozen=True, kw_only=True, slots=True)
class Mock:
    """What one attempt comes to: an output, or a failure with a code. `takes` in seconds."""

    output: Any = None
    code: str | None = None
    message: str = SAYS
    takes: float = 0.0


@dataclass(frozen=True, kw_only=True, slots=True)
class Sent:
    """A signal that the test sends; `at` in seconds since the start."""

    name: str
    at: float = 0.0
    payload: Any = None


@dataclass(frozen=True, kw_only=True, slots=True)
class Case:
    """One execution to rehearse. `expected` holds what was said about it, `nodes` the same of nodes by path."""

    name: str
    input: Any = field(default_factory=dict)
    now: datetime = START
    mocks: Mapping[str, tuple[Mock, ...]] = field(default_factory=dict)
    signals: tuple[Sent, ...] = ()
    answers: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    cancel_at: float | None = None
    expected: Mapping[str, Any] = field(default_factory=dict)
    nodes: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)


@dataclass(frozen=True, kw_only=True, slots=True)
class Rehearsals:
    """The cases of one flow file; `flow` is its place as seen from the test file."""

    flow: str
    cases: tuple[Case, ...]
    links: tuple[Link, ...]
    """The nodes that the file names."""


def check(
    text: bytes | str, file: str, limits: Limits = DEFAULT_LIMITS
) -> tuple[Rehearsals | None, tuple[Problem, ...]]:
    """The content of a test file, or None and every problem of its shape. Never raises for what is in it."""
    document = read(text, file, limits)
    report = Report(file, problems=list(document.problems))
    found = _test_file(document.root, Reading(report)) if document.root is not None else None
    problems = report.in_order()
    return (None if problems else found), problems


def misfits(test: Rehearsals, flow: Flow, file: str) -> tuple[Problem, ...]:
    """A problem for everything that the test says of a node that the flow does not have, or has as another type."""
    report, planned = Report(file), plan(flow)
    nodes = {node.id: node for node in _walk(flow.nodes)}
    for link in test.links:
        node = nodes.get(paths.name_of(link.target))
        if node is None or not _is_there(planned, nodes, link.target):
            message = f"`{link.key}`: the flow has no node `{link.target}`"
            hint = did_you_mean(link.target, nodes) or "Inside bodies a path is written `poll[0]/check`."
            report.add("dangling_reference", message, link.position, hint=hint)
        elif why := _unanswerable(node, link.key):
            report.add("misplaced_key", f"`{link.key}`: `{link.target}` {why}", link.position)
    return report.in_order()


def _unanswerable(node: Node, key: str) -> str | None:
    """Why an answer would never be asked for."""
    if key == "mocks" and not (node.makes_call or node.subflow):
        return "calls no agent and no tool and runs no other flow"
    return "is no approval" if key == "answers" and node.approval is None else None


def _is_there(planned: Plan, nodes: Mapping[str, Node], name: str) -> bool:
    if name in nodes:
        return True
    try:
        planned.node(name)
    except (KeyError, ValueError):
        return False
    return "[" in name and not paths.is_frame(name)


def _walk(nodes: tuple[Node, ...]) -> Iterator[Node]:
    for node in nodes:
        yield node
        for body in node.bodies:
            yield from _walk(body)


_TEST: Final = table(TEST_KEYS)
_CASE: Final = table(REHEARSAL_KEYS)
_MOCK: Final = table(MOCK_KEYS)
_SIGNAL: Final = table(SIGNAL_KEYS)
_EXPECT: Final = table(EXPECT_KEYS)
_NODE: Final = table(NODE_EXPECT_KEYS)


def _test_file(root: Tree, reading: Reading) -> Rehearsals:
    values = read_section(root, _TEST, reading, "a test file")
    cases = tuple(_case(tree, reading) for tree in values.get("cases", ()))
    return Rehearsals(flow=values.get("flow", ""), cases=cases, links=tuple(reading.links))


def _case(tree: Tree, reading: Reading) -> Case:
    values = _section(tree, _CASE, reading, "a case")
    expect: Tree | None = values.get("expect")
    inside = _section(expect, _EXPECT, reading, "`expect`") if expect is not None else {}
    nodes = inside.pop("nodes", None)
    return Case(
        name=values.get("name", ""),
        input=values.get("input", {}),
        now=_moment(values["now"], tree, reading) if "now" in values else START,
        mocks={name: _mocks(member, reading) for name, member in _named(values.get("mocks"), "mocks", reading)},
        signals=tuple(_sent(each, reading) for each in values.get("signals", ())),
        answers={name: _answer(member, reading) for name, member in _named(values.get("answers"), "answers", reading)},
        cancel_at=values.get("cancel_at"),
        expected=_with_nulls(inside, expect),
        nodes={name: _node(member, reading) for name, member in _named(nodes, "nodes", reading)},
    )


def _section(tree: Tree, keys: Table, reading: Reading, what: str) -> dict[str, Any]:
    return read_section(tree, keys, reading, what) if is_mapping(tree, reading, what) else {}


def _with_nulls(values: dict[str, Any], tree: Tree | None) -> dict[str, Any]:
    """An output that is expected to be null is something that was said, unlike elsewhere in these files."""
    if tree is not None and "output" in tree.members:
        return {**values, "output": tree.members["output"].value}
    return values


def _named(tree: Tree | None, key: str, reading: Reading) -> Iterator[tuple[str, Tree]]:
    """The members of a mapping whose keys are nodes."""
    if tree is None:
        return
    for name, member in tree.members.items():
        reading.links.append(Link(target=name, position=tree.keys[name], key=key))
        yield name, member


def _mocks(tree: Tree, reading: Reading) -> tuple[Mock, ...]:
    trees = tree.items if isinstance(tree.value, list) else (tree,)
    if not trees:
        reading.report.add("invalid_value", "there must be at least one answer", tree.position)
    return tuple(_mock(each, reading) for each in trees)


def _mock(tree: Tree, reading: Reading) -> Mock:
    values = _section(tree, _MOCK, reading, "an answer")
    takes = values.get("takes", 0.0)
    if "error" not in values:
        return Mock(output=values.get("output"), takes=takes)
    if "output" in values:
        reading.report.add("misplaced_key", "an answer has an `output` or an `error`, not both", tree.keys["error"])
    error = values["error"]
    if isinstance(error, str):
        return Mock(code=error, takes=takes)
    if isinstance(error, dict) and isinstance(error.get("code"), str):
        return Mock(code=error["code"], message=str(error.get("message", SAYS)), takes=takes)
    hint = "For example `error: timeout` or `error: {code: timeout, message: too slow}`."
    reading.report.add("invalid_type", "`error` must be a code", tree.members["error"].position, hint=hint)
    return Mock(code="", takes=takes)


def _sent(tree: Tree, reading: Reading) -> Sent:
    return Sent(**{"name": "", **_section(tree, _SIGNAL, reading, "a signal")})


def _answer(tree: Tree, reading: Reading) -> Mapping[str, Any]:
    approved = tree.value.get("approved") if isinstance(tree.value, dict) else None
    if isinstance(approved, bool):
        return dict(tree.value)
    hint = "For example `{approved: true}`."
    reading.report.add("invalid_type", "an answer needs `approved`: true or false", tree.position, hint=hint)
    return {}


def _node(tree: Tree, reading: Reading) -> Mapping[str, Any]:
    """What is expected of a node; its status alone may be written in place of a mapping."""
    if isinstance(tree.value, dict):
        return _with_nulls(read_section(tree, _NODE, reading, "what is expected of a node"), tree)
    wrapped = Tree(value={"status": tree.value}, position=tree.position, members={"status": tree})
    return read_section(wrapped, _NODE, reading, "what is expected of a node")


def _moment(text: str, tree: Tree, reading: Reading) -> datetime:
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        moment = None
    if moment is None or moment.year not in _YEARS:
        hint = "Write for example `2030-01-31T09:00:00Z`."
        message = f"`now`: `{text}` is not an ISO 8601 timestamp of our times"
        reading.report.add("invalid_value", message, tree.members["now"].position, hint=hint)
        return START
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)
