"""Whether the nodes of a body lead to each other as they must: ids, links, cycles, reachability, joins."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Final

from aispine.flow.draft import Body, Draft
from aispine.flow.graph import Graph
from aispine.flow.model import NodeType
from aispine.flow.problem import Report
from aispine.flow.reading import Link
from aispine.flow.references import suggest
from aispine.flow.rules import branches_of, key_position

_MAX_SHOWN: Final = 20


@dataclass(slots=True)
class Directory:
    """Every node of the file by id, with the body and the container that it stands in."""

    owners: Mapping[str, str | None]
    """The id of the loop, map or fork around a node; None at the top."""
    suggestions: int = 50
    """How many more times to look for a similar id: it takes time in a large file."""

    def hint(self, name: str, asking: str = "") -> str | None:
        """The id that was probably meant, other than that of the node that names it."""
        if self.suggestions <= 0:
            return None
        self.suggestions -= 1
        meant = suggest(name, (known for known in self.owners if known != asking))
        return f"Did you mean `{meant}`?" if meant else None


def walk(body: Body) -> Iterator[tuple[Draft, str | None]]:
    """Every draft of a body and of the bodies inside it, with the id of its container."""
    left: list[tuple[Body, str | None]] = [(body, None)]
    while left:
        current, owner = left.pop()
        for draft in current.drafts:
            yield draft, owner
            left.extend((inner, draft.node.id) for inner in draft.bodies)


def check_ids(body: Body, report: Report) -> Directory:
    """Reports ids that are there twice, anywhere in the file."""
    first: dict[str, Draft] = {}
    owners: dict[str, str | None] = {}
    drafts = sorted(walk(body), key=lambda pair: (pair[0].node.position.line, pair[0].node.position.column))
    for draft, owner in drafts:
        name = draft.node.id
        if not name:
            continue
        if name in first:
            line = first[name].node.position.line
            message = f"the id `{name}` is there twice; the first is on line {line}"
            member = draft.tree.members["id"]
            report.within(name).add("duplicate_id", message, member.position, hint="Ids are unique in the whole file.")
        first.setdefault(name, draft)
        owners.setdefault(name, owner)
    return Directory(owners=owners)


def check_links(graph: Graph, directory: Directory, report: Report) -> None:
    """Reports what names a node that is not there, not in the same body, or the node itself."""
    for draft in graph.drafts:
        for link in draft.links:
            check_link(link, draft, graph, directory, report.within(draft.node.id or None))


def check_link(link: Link, draft: Draft | None, graph: Graph, directory: Directory, report: Report) -> None:
    if draft is not None and link.target == draft.node.id:
        report.add("self_reference", f"`{link.key}`: the node names itself", link.position)
    elif link.target in graph.index:
        return
    elif link.target in directory.owners:
        owner = directory.owners[link.target]
        place = f"inside the body of `{owner}`" if owner else "outside of this body"
        message = f"`{link.key}`: `{link.target}` is {place}"
        hint = f"Name `{owner}` itself." if owner else "A body starts and ends with its own nodes."
        report.add("dangling_reference", message, link.position, hint=hint)
    else:
        message = f"`{link.key}`: there is no node `{link.target}`"
        report.add(
            "dangling_reference",
            message,
            link.position,
            hint=directory.hint(link.target, draft.node.id if draft else ""),
        )


def check_cycles(graph: Graph, report: Report) -> None:
    for cycle in graph.cycles:
        names = [graph.id(place) for place in (*cycle, cycle[0])]
        shown = names if len(names) <= _MAX_SHOWN else [*names[: _MAX_SHOWN - 2], "...", names[-1]]
        draft = graph.drafts[cycle[0]]
        report.within(draft.node.id).add(
            "cycle",
            f"the nodes form a cycle: {' -> '.join(shown)}",
            draft.node.position,
            hint="A flow goes forward only; use a loop node to repeat.",
        )


def check_reachable(graph: Graph, starts: set[int], report: Report) -> None:
    """Reports every node without incoming edges that is no start: nothing leads to it, nor to what hangs on it alone.

    The starts are the entry point and the input nodes; without any of them, every node without incoming edges.
    """
    if not starts:
        return
    mentioned = {text for draft in graph.drafts if not draft.known for text in _texts(draft.tree.value)}
    names = ", ".join(f"`{graph.id(place)}`" for place in sorted(starts)[:3])
    reached = graph.reached(starts)
    for place, draft in enumerate(graph.drafts):
        alone = place not in reached and not graph.incoming[place] and draft.node.id not in mentioned
        if alone and not _depends(draft) and draft.node.type is not NodeType.JOIN:
            report.within(draft.node.id).add(
                "unreachable",
                f"`{draft.node.id}` is never reached: nothing leads to it from {names}",
                draft.node.position,
                hint=f"Add `depends_on: [{graph.id(min(starts))}]`, or name it in a `then`, `else` or `on_error`.",
            )


def check_joins(graph: Graph, report: Report) -> None:
    nodes = {draft.node.id: draft.node for draft in graph.drafts}
    for place, draft in enumerate(graph.drafts):
        node = draft.node
        if node.join is None:
            continue
        if not graph.incoming[place] and not node.depends_on:
            hint = "Name what it joins in `depends_on`."
            report.within(node.id).add("join_of_nothing", "the join joins nothing", node.position, hint=hint)
        elif node.join.n is not None and node.join.n > (count := branches_of(node, nodes)):
            message = f"`n` is {node.join.n}, but only {count} branch(es) meet here"
            report.within(node.id).add("invalid_value", message, key_position(draft, "n"))


def _texts(value: Any) -> Iterator[str]:
    """Every text in a node of unknown type: each may name a node that runs after it."""
    if isinstance(value, str):
        yield value
    elif isinstance(value, dict | list):
        for each in value.values() if isinstance(value, dict) else value:
            yield from _texts(each)


def _depends(draft: Draft) -> bool:
    """True when the node names dependencies, but none that is there: that is a problem of its own."""
    member = draft.tree.members.get("depends_on")
    return member is not None and bool(member.value)
