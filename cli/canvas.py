"""The canvas of a flow, drawn."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from rich.console import Console
from rich.text import Text
from rich.tree import Tree as Drawing

from aispine.engine.outline import Tree, describe
from cli import output

if TYPE_CHECKING:
    from aispine.flow.model import Flow


def write(flow: Flow, form: output.Format) -> None:
    """Writes the canvas of the flow to stdout."""
    if form == "json":
        output.write_json(as_dict(describe(flow)))
    else:
        draw(output.console(), flow)


def draw(console: Console, flow: Flow) -> None:
    """Draws the canvas of the flow on a console."""
    console.print(_drawing(describe(flow), None), soft_wrap=True)


def as_dict(tree: Tree) -> dict[str, Any]:
    """The canvas as JSON."""
    return {"label": tree.label, "children": [as_dict(child) for child in tree.children]}


def _drawing(tree: Tree, parent: Drawing | None) -> Drawing:
    word, space, rest = tree.label.partition(" ")
    label = Text.assemble((word, _STYLES.get(word.rstrip(","), "")), space, rest)
    branch = parent.add(label) if parent else Drawing(label, guide_style="dim")
    for child in tree.children:
        _drawing(child, branch)
    return branch


_STYLES: Final = {
    "flow": "bold",
    "chain": "cyan",
    "group": "magenta",
    "chord": "yellow",
    "lane": "cyan",
    "run": "dim",
    "loop": "blue",
    "map": "blue",
    "fork": "blue",
    "branch": "blue",
    "wait": "magenta",
}
