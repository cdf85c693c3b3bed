"""The strategies: ways to read a document, from the cheapest to the dearest."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import replace
from datetime import date
from functools import cached_property
from typing import Any, Final

from . import mrz, pdf, picture, rapid, remembered, source, tesseract
from .document import Line, Page
from .request import Request

_LEAST_TEXT: Final = 12
"""A page of a PDF with fewer characters is a picture."""


class Leaf:
    """One page of a document as it was given: the text of a PDF, and a picture that is made when it is looked at.

    `known` says that it was read before, `page` what came of that.
    """

    known = False
    page: Page | None = None

    def __init__(self, number: int, look: Callable[[], Any], text: Sequence[Line] | None = None) -> None:
        self.number = number
        self.text = text
        self._look = look

    @cached_property
    def picture(self) -> Any:
        return self._look()

    def remember(self, page: Page | None) -> None:
        self.known, self.page = True, None if page is None else page.numbered(self.number)


def leaves(contents: Sequence[bytes], request: Request) -> list[list[Leaf]]:
    """The pages of each file, numbered through from 1 on. Refuses what cannot be opened or is over the limits."""
    found: list[list[Leaf]] = []
    for content in contents:
        own = list(_leaves(content, sum(map(len, found)), request))
        for leaf, page in zip(own, remembered.find(request.readings, content) or (), strict=False):
            leaf.remember(page)
        found.append(own)
    return found


def _leaves(content: bytes, before: int, request: Request) -> Iterator[Leaf]:
    limits = request.limits
    if source.kind(content) != "pdf":
        seen = picture.load(content, limits.max_pixels)
        yield Leaf(before + 1, lambda: seen)
        return
    pages = pdf.check(content, limits.max_pages)
    texts = pdf.lines(content) if "pdf_text" in request.strategies else [[] for _ in range(pages)]
    for number, text in enumerate(texts, start=1):
        yield Leaf(before + number, _rendering(content, number, limits.max_pixels), _numbered(text, before))


def _rendering(content: bytes, number: int, max_pixels: int) -> Callable[[], Any]:
    return lambda: pdf.render(content, number, max_pixels)


def _numbered(lines: Sequence[Line], before: int) -> Sequence[Line]:
    return [replace(line, page=line.page + before) for line in lines]


def pdf_text(leaf: Leaf, today: date) -> Page | None:
    """The text that a PDF has of itself; none of a picture."""
    lines = leaf.text or ()
    if sum(len(line.text) for line in lines) < _LEAST_TEXT:
        return None
    return Page(number=leaf.number, lines=tuple(lines), strategy="pdf_text", zone=mrz.in_lines(lines, today))


def rapidocr(leaf: Leaf, today: date) -> Page | None:
    """What RapidOCR sees."""
    seen = rapid.see(leaf.picture, leaf.number)
    if not seen.lines:
        return None
    return Page(
        number=leaf.number,
        lines=seen.lines,
        strategy="rapidocr",
        rotation=seen.rotation,
        zone=mrz.in_picture(leaf.picture, seen.lines, today),
    )


def by_tesseract(leaf: Leaf, today: date) -> Page | None:
    """What Tesseract sees, where it is installed."""
    lines = tesseract.see(leaf.picture, leaf.number)
    if not lines:
        return None
    return Page(number=leaf.number, lines=tuple(lines), strategy="tesseract", zone=mrz.in_lines(lines, today))


BY_NAME: Final[Mapping[str, Callable[[Leaf, date], Page | None]]] = {
    "pdf_text": pdf_text,
    "rapidocr": rapidocr,
    "tesseract": by_tesseract,
}
