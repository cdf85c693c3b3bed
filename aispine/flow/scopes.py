"""Whether expressions read only what is there when they are evaluated."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

from aispine.flow.draft import Body, Draft
from aispine.flow.edges import Directory
from aispine.flow.graph import Graph
from aispine.flow.problem import Report
from aispine.flow.reading import Use
from aispine.flow.references import SECRETS_RULE
from aispine.flow.writers import BREAK_LOOP

_INSIDE: Final = {"item": "map", "index": "map", "iteration": "loop", "loop_output": "loop"}
"""The roots that only a body has, and of which container."""
_BODY_KEYS: Final = frozenset({"until", "while", "complete_when"})
"""Keys of a container that are evaluated around its body, so that they see what the body sees."""


@dataclass(frozen=True, slots=True)
class Level:
    """The nodes of one body that can be seen from somewhere."""

    graph: Graph
    mask: int

    def has(self, name: str) -> bool:
        place = self.graph.index.get(name)
        return place is not None and bool(self.mask >> place & 1)


@dataclass(frozen=True, kw_only=True, slots=True)
class View:
    """What a place in the file can see: nodes level by level, and the containers around it."""

    levels: tuple[Level, ...] = ()
    containers: frozenset[str] = frozenset()

    def sees(self, name: str) -> bool:
        return any(level.has(name) for level in self.levels)

    def into(self, body: Body) -> View:
        return View(levels=self.levels, containers=self.containers | {body.kind})

    def plus(self, graph: Graph, mask: int) -> View:
        return View(levels=(*self.levels, Level(graph, mask)), containers=self.containers)


def check_uses(draft: Draft, place: int, view: View, inner: tuple[Graph, ...], check: Check) -> None:
    """Reports the expressions of a node that read what is not there yet; `inner` are the graphs of its bodies."""
    for use in draft.uses:
        check.use(use, _view_of(use, draft, place, view, inner), draft)
    if BREAK_LOOP in draft.node.set and "loop" not in view.containers:
        message = f"`set`: there is no loop around this that `{BREAK_LOOP}` could end"
        position = draft.tree.keys.get("set", draft.node.position)
        check.report.within(draft.node.id or None).add("out_of_scope", message, position)


def _view_of(use: Use, draft: Draft, place: int, view: View, inner: tuple[Graph, ...]) -> View:
    if use.key == "set":
        return view.plus(view.levels[-1].graph, 1 << place)
    if use.key in _BODY_KEYS:
        for body, graph in zip(draft.bodies, inner, strict=True):
            view = view.into(body).plus(graph, graph.everything)
    return view


def _is_call(use: Use, draft: Draft | None) -> bool:
    return use.key == "input" and draft is not None and draft.node.makes_call


@dataclass(frozen=True, slots=True)
class Check:
    """The checks of uses in one file."""

    directory: Directory
    report: Report

    def use(self, use: Use, view: View, draft: Draft | None) -> None:
        report = self.report.within(draft.node.id or None if draft else None)
        for name in sorted(use.references.nodes):
            if not view.sees(name):
                self._unseen(name, use, view, report)
        if use.references.secrets and not _is_call(use, draft):
            message = f"`{use.key}`: secrets are known only to calls"
            report.add("out_of_scope", message, use.position, hint=SECRETS_RULE)
        for root in self._misplaced(use, view):
            message = f"`{use.key}`: there is `{root}` only inside the body of a {_INSIDE[root]}"
            report.add("out_of_scope", message, use.position)

    def _misplaced(self, use: Use, view: View) -> Iterator[str]:
        if use.references.all_nodes and len(use.references.roots) > len(_INSIDE):
            return
        yield from (
            root
            for root in sorted(use.references.roots)
            if root in _INSIDE and _INSIDE[root] not in view.containers and use.key not in _BODY_KEYS
        )

    def _unseen(self, name: str, use: Use, view: View, report: Report) -> None:
        owners = self.directory.owners
        if name not in owners:
            message = f"`{use.key}`: there is no node `{name}`"
            report.add(
                "dangling_reference",
                message,
                use.position,
                hint=self.directory.hint(name, report.node or ""),
            )
        elif any(name in level.graph.index for level in view.levels):
            message = f"`{use.key}`: `{name}` has not surely ended when this is evaluated"
            report.add("not_an_ancestor", message, use.position, hint=f"Add `{name}` to `depends_on`.")
        else:
            message = f"`{use.key}`: `{name}` is inside the body of `{owners[name]}`"
            hint = f"Use `nodes.{owners[name]}.output`."
            report.add("not_an_ancestor", message, use.position, hint=hint)
