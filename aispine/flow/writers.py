"""Whether two nodes may write the same context key at the same time."""

from __future__ import annotations

import functools
import itertools
import operator
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from typing import Final

from aispine.flow.draft import Body, Draft
from aispine.flow.graph import DEPENDS_ON, ON_ERROR, Graph
from aispine.flow.problem import Report

BREAK_LOOP: Final = "break_loop"
_COMPLETED: Final = "completed"
"""The label of what a dependency edge implies: its source did not take `on_error`."""


def check_writers(graph: Graph, ancestors: list[int], report: Report) -> None:
    """Reports a context key with two writers of which neither comes after the other, unless only one can run."""
    excluded: list[int] | None = None
    for key, places in _writers(graph).items():
        if _clash(places, ancestors):
            excluded = excluded or exclusions(graph)
            ordered = [before | never for before, never in zip(ancestors, excluded, strict=True)]
            if pair := _clash(places, ordered):
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
    if draft.node.error_output:
        keys.add(draft.node.error_output)
    for body in draft.bodies:
        if body.kind == "loop":
            keys |= _written_in(body)
    return keys


def _written_in(body: Body) -> set[str]:
    return {key for draft in body.drafts for key in _written(draft)}


def _clash(places: list[int], ordered: list[int]) -> tuple[int, int] | None:
    """The first pair of places, taken in topological order, where the later one has no order with the earlier one."""
    earlier = 0
    for place in places:
        if unordered := earlier & ~ordered[place]:
            other = next(_bits(unordered))
            return min(other, place), max(other, place)
        earlier |= 1 << place
    return None


def _bits(mask: int) -> Iterator[int]:
    while mask:
        low = mask & -mask
        yield low.bit_length() - 1
        mask ^= low


def exclusions(graph: Graph) -> list[int]:
    """For each node the set of those that never run when it does: they need an outcome that rules out one of its own.

    An outcome is a choice of a decision, the handled failure of a node, or its completion.
    """
    outcomes: dict[tuple[int, str], int] = {}
    ways = [_ways(graph, place, outcomes) for place in range(len(graph.drafts))]
    ruled_out = _ruled_out(outcomes, _needing(graph, ways, len(outcomes)))
    excluded = [0] * len(graph.drafts)
    for place in graph.order:
        excluded[place] = _common([excluded[source] | ruled_out[outcome] for source, outcome in ways[place]])
    return excluded


def _ways(graph: Graph, place: int, outcomes: dict[tuple[int, str], int]) -> list[tuple[int, int]]:
    """The edges of which one must be live for the node to run, each as its source and the outcome it stands for."""
    edges = graph.incoming[place]
    deciding = [edge for edge in edges if edge.label != DEPENDS_ON] or edges
    keys = [(edge.source, _COMPLETED if edge.label == DEPENDS_ON else edge.label) for edge in deciding]
    return [(key[0], outcomes.setdefault(key, len(outcomes))) for key in keys]


def _needing(graph: Graph, ways: list[list[tuple[int, int]]], count: int) -> list[int]:
    """For each outcome the set of nodes that do not run without it."""
    needs = [0] * len(graph.drafts)
    needing = [0] * count
    for place in graph.order:
        needs[place] = _common([needs[source] | 1 << outcome for source, outcome in ways[place]])
        for outcome in _bits(needs[place]):
            needing[outcome] |= 1 << place
    return needing


def _common(masks: list[int]) -> int:
    return functools.reduce(operator.and_, masks) if masks else 0


def _ruled_out(outcomes: Mapping[tuple[int, str], int], needing: list[int]) -> list[int]:
    """For each outcome the set of nodes that need one which cannot come with it."""
    by_source: defaultdict[int, dict[str, int]] = defaultdict(dict)
    for (source, label), outcome in outcomes.items():
        by_source[source][label] = outcome
    ruled_out = [0] * len(outcomes)
    for found in by_source.values():
        failed = needing[found[ON_ERROR]] if ON_ERROR in found else 0
        choices = [outcome for label, outcome in found.items() if label not in {ON_ERROR, _COMPLETED}]
        for outcome, others in zip(choices, _others([needing[outcome] for outcome in choices]), strict=True):
            ruled_out[outcome] = others | failed
        if _COMPLETED in found:
            ruled_out[found[_COMPLETED]] = failed
        if ON_ERROR in found:
            ruled_out[found[ON_ERROR]] = _union(needing[each] for label, each in found.items() if label != ON_ERROR)
    return ruled_out


def _others(masks: list[int]) -> list[int]:
    """For each mask the union of all the others, in linear time."""
    before = list(itertools.accumulate(masks, operator.or_, initial=0))
    after = list(itertools.accumulate(reversed(masks), operator.or_, initial=0))[::-1]
    return [left | right for left, right in zip(before[:-1], after[1:], strict=True)]


def _union(masks: Iterable[int]) -> int:
    return functools.reduce(operator.or_, masks, 0)
