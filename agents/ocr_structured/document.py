"""What was read of a document: pages, their lines, and where these stand."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from typing import Any


@dataclass(frozen=True, kw_only=True, slots=True)
class Box:
    """A rectangle with its origin at the top left."""

    left: float
    top: float
    right: float
    bottom: float

    @property
    def width(self) -> float:
        return self.right - self.left

    @property
    def height(self) -> float:
        return self.bottom - self.top

    @property
    def middle(self) -> float:
        """The height at which the line stands."""
        return (self.top + self.bottom) / 2

    def as_list(self) -> list[float]:
        """Left, top, right, bottom to four places."""
        return [round(number, 4) for number in (self.left, self.top, self.right, self.bottom)]


def around(boxes: Iterable[Box]) -> Box:
    """The smallest box that holds all of them."""
    known = list(boxes)
    return Box(
        left=min(box.left for box in known),
        top=min(box.top for box in known),
        right=max(box.right for box in known),
        bottom=max(box.bottom for box in known),
    )


@dataclass(frozen=True, kw_only=True, slots=True)
class Line:
    """A line of text.

    `box` is in parts of the page as it was given, 0 to 1; `place` in units of the straightened page, for the layout.
    `frames` is what a recogniser saw in it, `quad` where in the picture, for reading it again.
    """

    text: str
    confidence: float
    page: int
    box: Box
    place: Box
    frames: Any = None
    quad: Any = None


@dataclass(frozen=True, kw_only=True, slots=True)
class Page:
    """A page: `rotation` is by how many degrees it was turned clockwise to stand upright.

    `remembered`: it was read when its file was sent before.
    """

    number: int
    lines: tuple[Line, ...]
    strategy: str
    rotation: float = 0.0
    zone: Any = None
    remembered: bool = False

    def numbered(self, number: int) -> Page:
        """The same page at another place of a document."""
        lines = tuple(replace(line, page=number) for line in self.lines)
        zone = None if self.zone is None else replace(self.zone, page=number)
        return replace(self, number=number, lines=lines, zone=zone)

    @property
    def confidence(self) -> float:
        """The mean over the lines, each counted by its length; 0 without any."""
        weights = [len(line.text) for line in self.lines]
        total = sum(line.confidence * weight for line, weight in zip(self.lines, weights, strict=True))
        return total / sum(weights) if sum(weights) else 0.0


@dataclass(frozen=True, kw_only=True, slots=True)
class Read:
    """All pages, and the names of the strategies that were tried, with what each came to."""

    pages: tuple[Page, ...]
    tried: tuple[dict[str, Any], ...] = field(default=())

    @property
    def lines(self) -> tuple[Line, ...]:
        return tuple(line for page in self.pages for line in page.lines)
