"""The flows of the campaign, one of each kind, and what each must yield."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Final

Flow = Mapping[str, Any]


@dataclass(frozen=True, kw_only=True, slots=True)
class Case:
    """A kind of flow: `expected` is its output for an input value; `helpers` are flows that it starts."""

    name: str
    flow: Flow
    expected: Callable[[int], Any]
    joins: frozenset[str] = frozenset()
    """Ids of nodes that several branches meet in."""
    helpers: tuple[Flow, ...] = ()


def cases(pace: float = 1.0, width: int = 24) -> tuple[Case, ...]:
    """Every kind; `pace` stretches what the agents take, `width` is that of the map."""
    return (
        _chain(pace),
        _quick(),
        _map(pace, width),
        _n_shape(pace),
        _loop(pace),
        *_forks(pace),
        _subflow(pace),
        _retry(),
        _approval(),
    )


def _chain(pace: float) -> Case:
    pools = ("quick", "cpu", "quick", "quick", "io")
    nodes = [_labour(f"s{number}", pool, seconds=0.1 * pace) for number, pool in enumerate(pools)]
    for before, node in zip([_INPUT, *nodes], nodes, strict=False):
        node["depends_on"] = [before["id"]]
    flow = _flow("chain", _INPUT, *nodes, output="${nodes.s4.output.value}")
    return Case(name="chain", flow=flow, expected=lambda value: value + 5)


def _quick() -> Case:
    """Twelve nodes that take no time, so that a worker runs ahead of the store."""
    nodes = [_labour(f"q{number}", seconds=0.0) for number in range(12)]
    for before, node in zip([_INPUT, *nodes], nodes, strict=False):
        node["depends_on"] = [before["id"]]
    flow = _flow("quick", _INPUT, *nodes, output="${nodes.q11.output.value}")
    return Case(name="quick", flow=flow, expected=lambda value: value + 12)


def _map(pace: float, width: int) -> Case:
    items = "[" + ", ".join(["input.value"] * width) + "]"
    body = [_labour("item", seconds=0.05 * pace, given="${item}")]
    pages = {"id": "pages", "type": "map", "depends_on": ["begin"], "items": items, "body": body}
    after = _labour("after", after=["pages"], given="${sum(nodes.pages.output[].value)}")
    flow = _flow("map", _INPUT, pages, after, output="${nodes.after.output.value}")
    return Case(name="map", flow=flow, expected=lambda value: width * (value + 1) + 1, joins=frozenset({"pages"}))


def _n_shape(pace: float) -> Case:
    first, second = (_labour(name, "cpu", after=["begin"], seconds=0.2 * pace) for name in "ab")
    third = _labour("c", after=["a"], seconds=0.1 * pace)
    fourth = _labour("d", after=["a", "b"])
    fourth["input"] = {"value": "${sum([nodes.a.output.value, nodes.b.output.value])}"}
    last = _labour("e", after=["c", "d"])
    last["input"] = {"value": "${sum([nodes.c.output.value, nodes.d.output.value])}"}
    flow = _flow("n_shape", _INPUT, first, second, third, fourth, last, output="${nodes.e.output.value}")
    joins = frozenset({"d", "e"})
    return Case(name="n_shape", flow=flow, expected=lambda value: 3 * value + 6, joins=joins)


def _loop(pace: float) -> Case:
    body = [_labour("step", given="${nodes.begin.output.value}", seconds=0.1 * pace)]
    rounds = {"id": "rounds", "type": "loop", "depends_on": ["begin"], "max_iterations": 4, "body": body}
    after = _labour("after", after=["rounds"], given="${sum(nodes.rounds.output.results[].value)}")
    flow = _flow("loop", _INPUT, rounds, after, output="${nodes.after.output.value}")
    return Case(name="loop", flow=flow, expected=lambda value: 4 * (value + 1) + 1)


def _forks(pace: float) -> tuple[Case, Case]:
    given = "${nodes.begin.output.value}"
    near, far = _labour("near", given=given), _labour("far", "io", given=given, seconds=1.0 * pace)
    race = {"id": "first", "type": "join", "depends_on": ["split"], "strategy": "first_complete", "cancel_rest": True}
    both = {"id": "first", "type": "join", "depends_on": ["split"], "strategy": "all_complete"}
    split = {"id": "split", "type": "fork", "depends_on": ["begin"], "branches": {"near": [near], "far": [far]}}
    use = _labour("use", after=["first"], given="${nodes.first.output.value}")
    all_of = _labour("use", after=["first"], given="${sum(values(nodes.first.output)[].value)}")
    output = "${nodes.use.output.value}"
    joins = frozenset({"first"})
    return (
        Case(
            name="race",
            flow=_flow("race", _INPUT, split, race, use, output=output),
            expected=lambda value: value + 2,
            joins=joins,
        ),
        Case(
            name="fork",
            flow=_flow("fork", _INPUT, split, both, all_of, output=output),
            expected=lambda value: 2 * (value + 1) + 1,
            joins=joins,
        ),
    )


def _subflow(pace: float) -> Case:
    inner = _labour("inner", "cpu", after=["begin"], seconds=0.2 * pace)
    child = _flow(
        "child", _INPUT, inner, _labour("more", after=["inner"]), output={"value": "${nodes.more.output.value}"}
    )
    call: dict[str, Any] = {"id": "call", "type": "subflow", "depends_on": ["begin"], "flow_id": "chaos_child"}
    call["input"] = {"value": "${output.value}"}
    after = _labour("after", after=["call"])
    flow = _flow("subflow", _INPUT, call, after, output="${nodes.after.output.value}")
    return Case(name="subflow", flow=flow, expected=lambda value: value + 3, helpers=(child,))


def _retry() -> Case:
    stubborn = _labour("stubborn", after=["begin"])
    stubborn["config"]["fail_first"] = 2
    stubborn["retry"] = {"max_attempts": 5, "initial_delay": 0.2, "backoff": "fixed", "jitter": "none"}
    flow = _flow("retry", _INPUT, stubborn, _labour("after", after=["stubborn"]), output="${nodes.after.output.value}")
    return Case(name="retry", flow=flow, expected=lambda value: value + 2)


def _approval() -> Case:
    ask = {"id": "ask", "type": "approval", "depends_on": ["first"]}
    after = _labour("after", after=["ask"], given="${nodes.first.output.value}")
    flow = _flow(
        "approval", _INPUT, _labour("first", after=["begin"]), ask, after, output="${nodes.after.output.value}"
    )
    return Case(name="approval", flow=flow, expected=lambda value: value + 2)


_INPUT: Final[dict[str, Any]] = {"id": "begin", "type": "input"}


def _flow(name: str, *nodes: Mapping[str, Any], output: Any) -> Flow:
    return {"flow_id": f"chaos_{name}", "version": "1.0.0", "name": name, "nodes": list(nodes), "output": output}


def _labour(
    node_id: str,
    pool: str = "quick",
    *,
    after: list[str] | None = None,
    seconds: float = 0.02,
    given: str | None = None,
) -> dict[str, Any]:
    node: dict[str, Any] = {"id": node_id, "type": "processor", "agent_id": "labour", "pool": pool}
    node["depends_on"] = after or []
    node["config"] = {"seconds": round(seconds, 3), "add": 1}
    node["input"] = {"value": given or "${output.value}"}
    return node
