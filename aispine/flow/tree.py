"""A YAML document as a tree of JSON values that know their places."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Any, Final

from aispine.flow.model import Position

_EMPTY: Final[Mapping[str, Any]] = MappingProxyType({})


@dataclass(frozen=True, kw_only=True, slots=True)
class Tree:
    """A value and where it stands; `value` is plain JSON all the way down."""

    value: Any
    position: Position
    members: Mapping[str, Tree] = field(default_factory=lambda: _EMPTY, repr=False)
    keys: Mapping[str, Position] = field(default_factory=lambda: _EMPTY, repr=False)
    items: tuple[Tree, ...] = field(default=(), repr=False)
    text_offset: int | None = field(default=None, repr=False)
    """The characters before a text's first one, None where the text does not stand as it is on one line."""
    weight: int = field(default=1, repr=False)
    height: int = field(default=0, repr=False)

    def inside(self, column: int) -> Position:
        """The place of a 1-based column inside a text."""
        if self.text_offset is None:
            return self.position
        return Position(line=self.position.line, column=self.position.column + self.text_offset + column - 1)


@dataclass(frozen=True, kw_only=True, slots=True)
class Limits:
    """What a flow file may be; beyond it the file is refused."""

    max_bytes: int = 1_000_000
    max_nesting: int = 64
    max_values: int = 200_000
    """Values of the document with every alias written out; a hundred characters of text count as one more."""
    max_nodes: int = 10_000
    max_iterations: int = 1_000_000
    """The largest bound of a loop."""
    max_bodies: int = 8
    """How deep bodies may stand inside bodies."""
