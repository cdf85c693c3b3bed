"""Whether two nodes may write the same context key at the same time."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping
from typing import Final

from aispine.flow.draft import Body, Draft
from aispine.flow.graph import DEPENDS_ON, ON_ERROR, Graph
from aispine.flow.problem import Report

BREAK_LOOP: Final = "break_loop"
_COMPLETED: Final = "completed"
"""The label of what a dependency edge implies: its source did not take `on_error`."""


def check_writers(graph: Graph, ancestors: list[int], report: Report) -> None:
    """Reports a context key with two writers of which neither comes after the other, unless only one can run."""
    writers = _writers(graph)
    if not any(len(places) > 1 for places in writers.values()):
        return
    exclusive = _exclusive(graph)
    for key, places in writers.items():
        if pair := _clash(places, ancestors, exclusive):
            _tell(key, graph.drafts[pair[0]], graph.drafts[pair[1]], report)


def _tell(key: str, one: Draft, other: Draft, report: Report) -> None:
    position = other.tree.keys.get("set", other.node.position)
    report.within(other.node.id).add(
        "context_conflict",
        f"`{one.node.id}` and `{other.node.id}` both set `{key}` and may run at the same time",
        position,
        hint=f"Let one depend on the other, or set another key than `{key}`.",
    )


def _writers(graph: Graph) -> Mapping[str, list[int]]:
    writers: defaultdict[str, list[int]] = defaultdict(list)
    for place in graph.order:
        for key in _written(graph.drafts[place]):
            if key != BREAK_LOOP:
                writers[key].append(place)
    return writers


def _written(draft: Draft) -> set[str]:
    """What a node sets, or what the body of a loop sets; branches and items only have copies."""
    keys = set(draft.node.set)
    for body in draft.bodies:
        if body.kind == "loop":
            keys |= _written_in(body)
    return keys


def _written_in(body: Body) -> set[str]:
    return {key for draft in body.drafts for key in _written(draft)}


def _clash(places: list[int], ancestors: list[int], exclusive: Callable[[int, int], bool]) -> tuple[int, int] | None:
    """The first pair of places that may run at the same time, in the order of the file."""
    earlier = 0
    for place in places:
        unordered = earlier & ~ancestors[place]
        for other in _bits(unordered):
            if not exclusive(other, place):
                return min(other, place), max(other, place)
        earlier |= 1 << place
    return None


def _bits(mask: int) -> Iterator[int]:
    while mask:
        low = mask & -mask
        yield low.bit_length() - 1
        mask ^= low


def _exclusive(graph: Graph) -> Callable[[int, int], bool]:
    """Tells whether two nodes can never both run, because one needs an outcome that rules the other's out."""
    outcomes: dict[tuple[int, str], int] = {}
    needs = _needs(graph, outcomes)
    rivals = _rivals(outcomes)

    def excluded(one: int, other: int) -> bool:
        return any(rivals[outcome] & needs[other] for outcome in _bits(needs[one]))

    return excluded


def _needs(graph: Graph, outcomes: dict[tuple[int, str], int]) -> list[int]:
    """For each node the set of outcomes without which it does not run."""
    needs = [0] * len(graph.drafts)
    for place in graph.order:
        edges = graph.incoming[place]
        deciding = [edge for edge in edges if edge.label != DEPENDS_ON] or edges
        ways = []
        for edge in deciding:
            label = _COMPLETED if edge.label == DEPENDS_ON else edge.label
            outcome = outcomes.setdefault((edge.source, label), len(outcomes))
            ways.append(needs[edge.source] | 1 << outcome)
        needs[place] = _common(ways)
    return needs


def _common(masks: list[int]) -> int:
    result = masks[0] if masks else 0
    for mask in masks[1:]:
        result &= mask
    return result


def _rivals(outcomes: Mapping[tuple[int, str], int]) -> list[int]:
    """For each outcome of a node the set of those that cannot come with it."""
    by_source: defaultdict[int, list[tuple[str, int]]] = defaultdict(list)
    for (source, label), outcome in outcomes.items():
        by_source[source].append((label, outcome))
    rivals = [0] * len(outcomes)
    for found in by_source.values():
        for label, outcome in found:
            rivals[outcome] = sum(1 << other for name, other in found if _rule_out(label, name))
    return rivals


def _rule_out(one: str, other: str) -> bool:
    if one == other:
        return False
    return ON_ERROR in {one, other} or _COMPLETED not in {one, other}
