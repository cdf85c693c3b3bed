"""The canvas of a flow, drawn."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from rich.console import Console
from rich.text import Text
from rich.tree import Tree as Drawing

from aispine.engine.canvas import Tree, describe
from cli import output

if TYPE_CHECKING:
    from aispine.flow.model import Flow


def write(flow: Flow, form: output.Format) -> None:
    """Writes the canvas of the flow to stdout."""
    tree = describe(flow)
    if form == "json":
        output.write_json(as_dict(tree))
    else:
        draw(output.console(), tree)


def draw(console: Console, tree: Tree) -> None:
    """Draws the canvas on a console."""
    console.print(_drawing(tree, None), soft_wrap=True)


def as_dict(tree: Tree) -> dict[str, Any]:
    """The canvas as JSON."""
    return {"label": tree.label, "children": [as_dict(child) for child in tree.children]}


def _drawing(tree: Tree, parent: Drawing | None) -> Drawing:
    word, space, rest = tree.label.partition(" ")
    label = Text.assemble((word, _STYLES.get(word, "")), space, rest)
    branch = parent.add(label) if parent else Drawing(label, guide_style="dim")
    for child in tree.children:
        _drawing(child, branch)
    return branch


_STYLES = {"chain": "cyan", "group": "magenta", "chord": "yellow"}
