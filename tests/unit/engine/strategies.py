"""Random flows: any DAG of agents, transforms and decisions with guards, retries and handlers."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Literal

from hypothesis import strategies as st

from aispine.flow.expression import Condition
from aispine.flow.model import Choice, Flow, Node, NodeType, RetryPolicy
from tests.unit.engine.reference import Script


@dataclass(frozen=True, kw_only=True, slots=True)
class Case:
    """A flow, the flags that its conditions read, and what its agents do."""

    flow: Flow
    flags: dict[str, bool]
    scripts: dict[str, Script]


@st.composite
def cases(
    draw: st.DrawFn, *, failing: bool = True, on_failure: Literal["fail", "finish"] | None = None, most: int = 9
) -> Case:
    """Nodes `n0`... in topological order."""
    size = draw(st.integers(1, most))
    names = [f"n{index}" for index in range(size)]
    nodes = [_node(draw, names, index, failing=failing) for index in range(size)]
    modes: tuple[Literal["fail", "finish"], ...] = ("fail", "finish") if on_failure is None else (on_failure,)
    mode = draw(st.sampled_from(modes))
    flow = Flow(flow_id="random", version="1.0.0", name="random", nodes=tuple(nodes), on_failure=mode)
    scripts = {node.id: _script(draw, failing=failing) for node in nodes if node.makes_call}
    return Case(flow=flow, flags={name: draw(st.booleans()) for name in names}, scripts=scripts)


def _node(draw: st.DrawFn, names: list[str], index: int, *, failing: bool) -> Node:
    earlier, later = names[:index], names[index + 1 :]
    depends_on = draw(st.lists(st.sampled_from(earlier), unique=True, max_size=3)) if earlier else []
    guard = (Condition.parse(f"input.{names[index]}"),) if draw(st.integers(0, 5)) == 0 else ()
    node = Node(id=names[index], type=NodeType.PROCESSOR, agent_id="echo", depends_on=tuple(depends_on), guard=guard)
    kind = draw(st.sampled_from(["agent", "agent", "agent", "transform", "decision"]))
    if kind == "transform":
        return replace(node, type=NodeType.TRANSFORM, agent_id=None)
    if kind == "decision" and later:
        return replace(node, type=NodeType.DECISION, agent_id=None, choices=_choices(draw, names[index], later))
    return _failing(draw, node, later) if failing else node


def _choices(draw: st.DrawFn, name: str, later: list[str]) -> tuple[Choice, ...]:
    targets = st.lists(st.sampled_from(later), min_size=1, max_size=2, unique=True)
    otherwise = tuple(draw(targets)) if draw(st.booleans()) else ()
    return (
        Choice(label="then", when=Condition.parse(f"input.{name}"), then=tuple(draw(targets))),
        Choice(label="else", when=None, then=otherwise),
    )


def _failing(draw: st.DrawFn, node: Node, later: list[str]) -> Node:
    on_error = draw(st.sampled_from([None, "continue", *later]))
    retry = RetryPolicy(max_attempts=draw(st.integers(1, 3)), jitter="none")
    return replace(node, on_error=on_error, retry=retry)


def _script(draw: st.DrawFn, *, failing: bool) -> Script:
    if not failing:
        return Script()
    return Script(failures=draw(st.sampled_from([0, 0, 0, 1, 2, 3])), fatal=draw(st.integers(0, 5)) == 0)
