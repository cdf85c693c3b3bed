"""Which branches can come to a join together: those that no choice sets against each other."""

from __future__ import annotations

import functools
import operator
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from typing import Final

from aispine.flow.graph import DEPENDS_ON, ON_ERROR, Edge, Graph
from aispine.flow.problem import Report
from aispine.flow.rules import key_position

Outcome = tuple[int, str]
"""A node that chooses, by its place, and one of its choices. A node with a handler chooses as well, by failing."""
_HINT: Final = "Lower `n`, or join by `first_complete`."


def check_meetings(graph: Graph, report: Report) -> None:
    """Reports every join that waits for more branches than one execution can ever bring to it."""
    joins = {place: draft.node.join.n for place, draft in enumerate(graph.drafts) if draft.node.join}
    wanted = {place: n for place, n in joins.items() if n is not None and 1 < n <= len(graph.incoming[place])}
    if not wanted:
        return
    outcomes = {outcome: 1 << number for number, outcome in enumerate(_outcomes(graph))}
    needs = _needs(graph, outcomes)
    for place, n in wanted.items():
        branches = [needs[edge.source] | outcomes.get(_outcome(edge), 0) for edge in graph.incoming[place]]
        for chooser, most in _bounds(branches, outcomes):
            if most < n:
                _report(graph, place, f"`n` is {n}, but `{graph.id(chooser)}` lets at most {most} of them run", report)
                break


def _report(graph: Graph, place: int, message: str, report: Report) -> None:
    draft = graph.drafts[place]
    report.within(draft.node.id).add("never_met", message, key_position(draft, "n"), hint=_HINT)


def _outcomes(graph: Graph) -> Iterator[Outcome]:
    for place in range(len(graph.drafts)):
        labels = {edge.label for edge in graph.outgoing[place]}
        if labels - {DEPENDS_ON}:
            # What merely depends on a decision runs whatever it chooses; on a failure that is handled, it does not.
            yield from ((place, label) for label in sorted(labels) if label != DEPENDS_ON or ON_ERROR in labels)


def _outcome(edge: Edge) -> Outcome:
    return edge.source, edge.label


def _needs(graph: Graph, outcomes: Mapping[Outcome, int]) -> list[int]:
    """For each node the outcomes without which it cannot run, as bits. A node on a cycle is said to need none."""
    needs = [0] * len(graph.drafts)
    for place in graph.order:
        edges = graph.incoming[place]
        deciding = [edge for edge in edges if edge.label != DEPENDS_ON] or edges
        ways = [needs[edge.source] | outcomes.get(_outcome(edge), 0) for edge in deciding]
        needs[place] = functools.reduce(operator.and_, ways, ways[0]) if ways else 0
    return needs


def _bounds(branches: Sequence[int], outcomes: Mapping[Outcome, int]) -> Iterator[tuple[int, int]]:
    """For each node that chooses, how many branches can run at most: those of one outcome, and those of none."""
    counts = {outcome: sum(bool(branch & bit) for branch in branches) for outcome, bit in outcomes.items()}
    total: Counter[int] = Counter()
    most: Counter[int] = Counter()
    for (place, _), count in counts.items():
        total[place] += count
        most[place] = max(most[place], count)
    yield from ((place, len(branches) - total[place] + most[place]) for place in total)
