"""Random flows of every construct, one inside the other."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from typing import Any, Literal

from hypothesis import strategies as st

from aispine.flow.expression import Condition, Selection, Template
from aispine.flow.model import (
    Approval,
    Choice,
    Flow,
    Fork,
    Join,
    Loop,
    Map,
    Node,
    NodeType,
    RetryPolicy,
    Subflow,
    Wait,
)
from tests.unit.engine.reference import Script

NEVER = "never"
"""The signal that nobody sends."""
TIMEOUT = 50.0
STRATEGIES: tuple[Literal["all_complete", "first_complete", "n_of_m", "best_result"], ...] = (
    "all_complete",
    "first_complete",
    "n_of_m",
    "best_result",
)


@dataclass(kw_only=True)
class Case:
    """A flow, its input (flags by node id, lists by map), and what its agents do."""

    flow: Flow
    data: dict[str, Any]
    scripts: dict[str, Script]
    never: frozenset[str]
    """Waits and approvals for which nobody does anything."""


_Kind = Callable[[Node, int, list[str]], Node]


@dataclass(kw_only=True)
class _Maker:
    draw: st.DrawFn
    failing: bool
    depth: int
    data: dict[str, Any] = field(default_factory=dict)
    scripts: dict[str, Script] = field(default_factory=dict)
    count: int = 0
    made: list[Node] = field(default_factory=list)
    never: set[str] = field(default_factory=set)

    def body(self, depth: int, least: int = 1) -> tuple[Node, ...]:
        size = self.draw(st.integers(least, 5 if depth == 0 else 3))
        names = [self._name() for _ in range(size)]
        nodes: list[Node] = []
        for index, name in enumerate(names):
            nodes.append(self._node(name, nodes, names[index + 1 :], depth))
        return tuple(nodes)

    def _name(self) -> str:
        name = f"n{self.count}"
        self.count += 1
        self.data[name] = self.draw(st.booleans())
        return name

    def _node(self, name: str, earlier: list[Node], later: list[str], depth: int) -> Node:
        depends_on = self._dependencies(earlier)
        node = Node(id=name, type=NodeType.TRANSFORM, depends_on=depends_on, guard=self._guard(name))
        kinds: list[_Kind] = [self._agent, self._agent, self._transform, self._wait, self._approval, self._subflow]
        kinds += [self._choosing] * bool(later) + [self._join, self._join] * bool(depends_on)
        if depth < self.depth:
            kinds += [self._loop, self._map, self._fork, self._fork]
        made: Node = self.draw(st.sampled_from(kinds))(node, depth, later)
        self.made.append(made)
        return self._handled(made, later)

    def _dependencies(self, earlier: list[Node]) -> tuple[str, ...]:
        if not earlier:
            return ()
        # A join of a fork's branches depends on it alone.
        forks = [node.id for node in earlier if node.fork is not None]
        if forks and self._chance(2):
            return (self.draw(st.sampled_from(forks)),)
        names = [node.id for node in earlier]
        return tuple(self.draw(st.lists(st.sampled_from(names), unique=True, max_size=3)))

    def _guard(self, name: str) -> tuple[Condition, ...]:
        return (Condition.parse(f"input.{name}"),) if self._chance(8) else ()

    def _handled(self, node: Node, later: list[str]) -> Node:
        if not self.failing or not self._chance(3) or node.type in {NodeType.DECISION, NodeType.SWITCH}:
            return node
        return replace(node, on_error=self.draw(st.sampled_from(["continue", "fail", *later])))

    def _script(self, name: str) -> Script:
        if not self.failing:
            return Script()
        only = self.draw(st.sampled_from([None, 0, 1]))
        return Script(failures=self.draw(st.sampled_from([0, 0, 0, 1, 2, 3])), fatal=self._chance(6), only=only)

    def _chance(self, one_in: int) -> bool:
        return self.draw(st.integers(1, one_in)) == one_in

    # One kind each

    def _agent(self, node: Node, _depth: int, _later: list[str]) -> Node:
        self.scripts[node.id] = self._script(node.id)
        retry = RetryPolicy(max_attempts=self.draw(st.integers(1, 3)), jitter="none")
        return replace(node, type=NodeType.PROCESSOR, agent_id="echo", retry=retry, mutex=self._mutex())

    def _mutex(self) -> str | None:
        return self.draw(st.sampled_from([None, None, None, "desk"]))

    def _transform(self, node: Node, _depth: int, _later: list[str]) -> Node:
        broken = self.failing and self._chance(5)
        return replace(node, output=Template.parse("${sum(input.text)}" if broken else node.id), mutex=self._mutex())

    def _wait(self, node: Node, _depth: int, _later: list[str]) -> Node:
        node = replace(node, type=NodeType.WAIT)
        if self.draw(st.booleans()):
            return replace(node, wait=Wait(seconds=Template.parse(self.draw(st.sampled_from([0, 5, 120])))))
        if self.failing and self._chance(4):
            self.never.add(node.id)
            on_timeout = self.draw(st.sampled_from(["fail", "continue"]))
            return replace(node, wait=Wait(signal=NEVER, on_timeout=on_timeout), timeout=TIMEOUT)
        return replace(node, wait=Wait(signal="go"))

    def _approval(self, node: Node, _depth: int, _later: list[str]) -> Node:
        node = replace(node, type=NodeType.APPROVAL, approval=Approval())
        if not self.failing or not self._chance(3):
            return node
        if self.draw(st.booleans()):
            self.never.add(node.id)
        return replace(node, approval=Approval(on_timeout=self.draw(st.sampled_from(["fail", "reject"]))), timeout=5.0)

    def _subflow(self, node: Node, _depth: int, _later: list[str]) -> Node:
        self.scripts[node.id] = self._script(node.id)
        return replace(node, type=NodeType.SUBFLOW, subflow=Subflow(flow_id="child"))

    def _choosing(self, node: Node, _depth: int, later: list[str]) -> Node:
        targets = st.lists(st.sampled_from(later), min_size=1, max_size=2, unique=True)
        first = Choice(label="then", when=Condition.parse(f"input.{node.id}"), then=tuple(self.draw(targets)))
        other = Choice(label="else", when=None, then=tuple(self.draw(targets)) if self.draw(st.booleans()) else ())
        return replace(node, type=NodeType.DECISION, choices=(first, other))

    def _join(self, node: Node, _depth: int, _later: list[str]) -> Node:
        forks = {other.id: len(other.fork.branches) for other in self.made if other.fork is not None}
        branches = len(node.depends_on) if len(node.depends_on) > 1 else forks.get(node.depends_on[0], 1)
        join = Join(
            strategy=self.draw(st.sampled_from(STRATEGIES)),
            n=self.draw(st.integers(1, branches)),
            score=Selection.parse("length(to_string(output))"),
            cancel_rest=self.draw(st.booleans()),
        )
        return replace(node, type=NodeType.JOIN, join=join)

    def _loop(self, node: Node, depth: int, _later: list[str]) -> Node:
        number = self.draw(st.integers(0, 3))
        loop = Loop(
            max_iterations=self.draw(st.integers(1, 3)),
            body=self.body(depth + 1),
            delay=self.draw(st.sampled_from([0.0, 0.0, 7.0])),
            on_exhausted=self.draw(st.sampled_from(["fail", "continue", "continue"])),
        )
        shape = self.draw(st.sampled_from(["until", "while", "break", "plain"]))
        if shape == "until":
            loop = replace(loop, until=Condition.parse(f"iteration >= {number}"))
        elif shape == "while":
            # What is compared with a number is one only before the first iteration.
            broken = " and (iteration < 1 or input.text < 1)" if self.failing and self._chance(4) else ""
            loop = replace(loop, while_=Condition.parse(f"iteration < {number}{broken}"))
        elif shape == "break":
            enough = {"break_loop": Template.parse(f"${{iteration >= `{number}`}}")}
            leave = Node(id=self._name(), type=NodeType.TRANSFORM, set=enough)
            loop = replace(loop, body=(*loop.body, leave))
        return self._timed(replace(node, type=NodeType.LOOP, loop=loop))

    def _map(self, node: Node, depth: int, _later: list[str]) -> Node:
        missing = self.failing and self._chance(8)
        self.data[f"{node.id}_items"] = None if missing else list(range(self.draw(st.integers(0, 5))))
        found = Map(
            items=Selection.parse(f"input.{node.id}_items"),
            body=self.body(depth + 1),
            max_concurrency=self.draw(st.sampled_from([None, 1, 2, 3])),
            on_item_error=self.draw(st.sampled_from(["fail", "continue", "continue"])),
            complete_when=Condition.parse("len(output) >= 2") if self._chance(4) else None,
        )
        return self._timed(replace(node, type=NodeType.MAP, map=found))

    def _fork(self, node: Node, depth: int, _later: list[str]) -> Node:
        branches = {name: self.body(depth + 1) for name in "xyz"[: self.draw(st.integers(1, 3))]}
        return self._timed(replace(node, type=NodeType.FORK, fork=Fork(branches=branches)))

    def _timed(self, node: Node) -> Node:
        if not self.failing or not self._chance(6):
            return node
        return replace(node, timeout=self.draw(st.sampled_from([1.0, 20.0])))


@st.composite
def nested(draw: st.DrawFn, *, failing: bool = True, depth: int = 2) -> Case:
    """Nodes of each body in topological order; ids are unique in the whole flow."""
    maker = _Maker(draw=draw, failing=failing, depth=depth)
    nodes = maker.body(0)
    mode: Literal["fail", "finish"] = draw(st.sampled_from(["fail", "finish"]))
    handler = None
    if failing and maker._chance(3):
        handler = "rescue"
        maker.scripts[handler] = Script(fatal=draw(st.booleans()))
        nodes = (*nodes, Node(id=handler, type=NodeType.PROCESSOR, agent_id="echo"))
    flow = Flow(flow_id="random", version="1.0.0", name="random", nodes=nodes, on_failure=mode, on_error=handler)
    return Case(flow=flow, data=maker.data, scripts=maker.scripts, never=frozenset(maker.never))
