"""What comes up while a file is read: problems, expressions, links between nodes, values that do not fit."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any

from aispine.flow.expression import References
from aispine.flow.model import Position
from aispine.flow.problem import Report
from aispine.flow.references import suggest
from aispine.flow.tree import Tree


@dataclass(frozen=True, kw_only=True, slots=True)
class Use:
    """An expression of the file: what it reads, and under which key it stands."""

    references: References
    position: Position
    key: str


@dataclass(frozen=True, kw_only=True, slots=True)
class Link:
    """A node that another one names, and under which key."""

    target: str
    position: Position
    key: str


@dataclass(frozen=True, slots=True)
class Reading:
    """What comes up while values are read: problems, expressions, links."""

    report: Report
    uses: list[Use] = field(default_factory=list)
    links: list[Link] = field(default_factory=list)


class Misfit(ValueError):
    """The value is not what the key takes."""

    def __init__(
        self, why: str, *, hint: str | None = None, position: Position | None = None, code: str = "invalid_value"
    ) -> None:
        super().__init__(why)
        self.hint = hint
        self.position = position
        self.code = code


def kind_of(value: Any) -> str:
    """How a value of the file is called in a message."""
    if isinstance(value, bool):
        return "a boolean"
    names = {str: "a text", int: "a number", float: "a number", list: "a list", dict: "a mapping"}
    return names.get(type(value), "nothing")


def expected(what: str, tree: Tree, hint: str | None = None) -> Misfit:
    return Misfit(f"must be {what}, not {kind_of(tree.value)}", hint=hint, code="invalid_type")


def did_you_mean(name: str, known: Iterable[str]) -> str | None:
    meant = suggest(name, known)
    return f"Did you mean `{meant}`?" if meant else None
