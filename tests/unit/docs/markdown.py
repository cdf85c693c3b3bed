"""Reading Markdown: its tables, its blocks and its links."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Final

from tests.unit.docs.generated import DOCS, ROOT

_CELL: Final = re.compile(r"(?<!\\)\|")
_LINK: Final = re.compile(r"\]\(([^)\s]+)\)")


def documents() -> list[Path]:
    """Every document for people, apart from those of agents."""
    return sorted([*ROOT.glob("*.md"), *DOCS.glob("*.md"), *(ROOT / "deploy").glob("*.md")])


def section(document: Path, title: str) -> str:
    """The text under a heading, up to the next heading of any level."""
    found = re.search(rf"^#+ {re.escape(title)}\n(.*?)(?=^#|\Z)", document.read_text("utf-8"), re.MULTILINE | re.DOTALL)
    assert found, f"{document.name} has no section {title!r}"
    return found[1]


def rows(text: str) -> list[tuple[str, ...]]:
    """The body of the first table, cell by cell, without the backticks around a cell."""
    lines = [line for line in text.splitlines() if line.startswith("|")]
    return [tuple(_plain(cell) for cell in _CELL.split(line)[1:-1]) for line in lines[2:]]


def blocks(document: Path, language: str) -> list[str]:
    """The fenced blocks of a language."""
    return re.findall(rf"^```{language}\n(.*?)^```$", document.read_text("utf-8"), re.MULTILINE | re.DOTALL)


def links(document: Path) -> Iterator[str]:
    """The targets of links that stay inside the repository."""
    yield from (target for target in _LINK.findall(document.read_text("utf-8")) if "://" not in target)


def anchor(heading: str) -> str:
    """The anchor that a heading gets."""
    return re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-")


def _plain(cell: str) -> str:
    return cell.strip().strip("`")
