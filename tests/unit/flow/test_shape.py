"""The shape of a canvas: whatever the flow, Celery gets something that it can carry to its end."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from aispine.flow.model import Choice, Node, NodeType
from aispine.flow.plan import EdgeKind, Graph, in_place, make_graph
from aispine.flow.shape import MAX_CHAIN, Chain, Chord, Group, Shape, Step, first_paths, shape
from tests.unit.engine.strategies import Case, cases


def _agent(name: str, *depends_on: str) -> Node:
    return Node(id=name, type=NodeType.PROCESSOR, agent_id="echo", depends_on=depends_on)


def _passing(name: str, *depends_on: str) -> Node:
    return Node(id=name, type=NodeType.TRANSFORM, depends_on=depends_on)


def _steps(*names: str) -> tuple[Step, ...]:
    return tuple(Step(path=name) for name in names)


def _parts(part: Shape) -> Iterator[Shape]:
    yield part
    if not isinstance(part, Step):
        for member in part.members:
            yield from _parts(member)


def _paths(part: Shape) -> list[str]:
    return [each.path for each in _parts(part) if isinstance(each, Step)]


def _ready_at_start(graph: Graph) -> list[str]:
    return [name for name in graph.roots if not in_place(graph.nodes[name])]


def _ends(member: Shape) -> str:
    return member.path if isinstance(member, Step) else _ends(member.members[-1])


def test_one_node_is_one_step() -> None:
    assert shape(make_graph([_agent("a")]), ["a"]) == Step(path="a")


def test_nodes_that_follow_each_other_are_a_chain() -> None:
    graph = make_graph([_agent("a"), _agent("b", "a"), _agent("c", "b")])
    assert shape(graph, ["a"]) == Chain(members=_steps("a", "b", "c"))


def test_what_is_evaluated_in_place_is_no_part_of_a_canvas() -> None:
    graph = make_graph([_agent("a"), _passing("b", "a"), _agent("c", "b")])
    assert shape(graph, ["a"]) == Chain(members=_steps("a", "c"))


def test_independent_nodes_are_a_group() -> None:
    assert shape(make_graph([_agent("a"), _agent("b")]), ["a", "b"]) == Group(members=_steps("a", "b"))


def test_branches_that_all_meet_are_a_chord() -> None:
    graph = make_graph([_agent("a"), _agent("b"), _agent("join", "a", "b")])
    assert shape(graph, ["a", "b"]) == Chord(members=_steps("a", "b"), join="join")


def test_branches_of_which_one_goes_on_elsewhere_are_a_group() -> None:
    graph = make_graph([_agent("a"), _agent("b"), _agent("join", "a", "b"), _agent("c", "b")])
    assert shape(graph, ["a", "b"]) == Group(members=_steps("a", "b"))


def test_a_join_that_waits_for_more_than_the_branches_makes_no_chord() -> None:
    graph = make_graph([_agent("a"), _agent("b"), _agent("c"), _agent("join", "a", "b", "c")])
    assert isinstance(shape(graph, ["a", "b"]), Group)


def test_a_chain_ends_in_the_branches_that_it_opens() -> None:
    graph = make_graph([_agent("a"), _agent("b", "a"), _agent("c", "a"), _agent("join", "b", "c")])
    chord = Chord(members=_steps("b", "c"), join="join")
    assert shape(graph, ["a"]) == Chain(members=(Step(path="a"), chord))


def test_a_chain_ends_where_the_outcome_is_not_known_yet() -> None:
    choices = (Choice(label="then", when=None, then=("c",)),)
    decision = Node(id="b", type=NodeType.DECISION, depends_on=("a",), choices=choices)
    assert shape(make_graph([_agent("a"), decision, _agent("c")]), ["a"]) == Step(path="a")


@pytest.mark.parametrize("length", [MAX_CHAIN, MAX_CHAIN + 1, 3 * MAX_CHAIN])
def test_a_chain_has_at_most_fifty_nodes(length: int) -> None:
    nodes = [_agent("n0"), *(_agent(f"n{index}", f"n{index - 1}") for index in range(1, length))]
    assert len(_paths(shape(make_graph(nodes), ["n0"]))) == MAX_CHAIN


@settings(max_examples=200, deadline=None)
@given(case=cases(most=14), data=st.data())
def test_every_shape_can_be_carried(case: Case, data: st.DataObject) -> None:
    graph = make_graph(case.flow.nodes)
    workers = [name for name in graph.order if not in_place(graph.nodes[name])]
    ready = _independent(graph, data.draw(st.lists(st.sampled_from(workers), unique=True))) if workers else []
    ready = ready or _ready_at_start(graph)
    if not ready:
        return
    whole = shape(graph, ready)
    assert sorted(first_paths(whole)) == sorted(ready)
    paths = _paths(whole)
    assert len(paths) == len(set(paths)), "a node is sent twice"
    assert not any(in_place(graph.nodes[path]) for path in paths)
    for part in _parts(whole):
        _check_part(graph, part)


def _independent(graph: Graph, names: list[str]) -> list[str]:
    """Nodes of which none follows from another, as those are that become ready together."""
    after = {name: {edge.target for edge in graph.outgoing[name]} for name in graph.order}
    for name in reversed(graph.order):
        after[name] = after[name].union(*(after[target] for target in after[name]))
    return [name for name in names if not any(name in after[other] for other in names)]


def _check_part(graph: Graph, part: Shape) -> None:
    if isinstance(part, Chain):
        assert 2 <= len(part.members) <= MAX_CHAIN + 1
        assert all(isinstance(member, Step) for member in part.members[:-1])
        _check_certain(graph, part)
    if isinstance(part, Chord | Group):
        assert len(part.members) > 1
        for member in part.members:
            assert all(isinstance(inside, Step | Chain) for inside in _parts(member)), "no chord or group in a branch"
    if isinstance(part, Chord):
        assert {edge.source for edge in graph.incoming[part.join]} == {_ends(member) for member in part.members}


def _check_certain(graph: Graph, part: Chain) -> None:
    """Each step of a chain runs whenever the one before it has completed: no other edge leads to it."""
    for member in part.members[1:]:
        for path in first_paths(member):
            (edge,) = graph.incoming[path]
            assert edge.kind is EdgeKind.DEPENDENCY
