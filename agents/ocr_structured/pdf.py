"""PDFs: their own text where they have any, and pictures of their pages where they have none."""

from __future__ import annotations

import io
import re
import zlib
from collections.abc import Iterator
from typing import Any, Final

import numpy as np
import pdfplumber
import pypdfium2

from .document import Box, Line
from .refusal import refuse

DOTS_PER_INCH: Final = 200
_UNPACKED: Final = 200_000_000
"""The bytes that all streams of a PDF may unpack to."""
_NESTING: Final = 3
_STREAM: Final = re.compile(rb"stream\r?\n")
_BLOCK: Final = 1 << 16
_COLUMN_GAP: Final = 1.6


def check(content: bytes, max_pages: int) -> int:
    """The number of pages. Raises for a broken file, a password, too many pages, and what unpacks to too much."""
    _unpack(content)
    try:
        with pypdfium2.PdfDocument(content) as document:
            pages = len(document)
    except pypdfium2.PdfiumError as error:
        if "password" in str(error).lower():
            raise refuse("password_protected", "the PDF needs a password") from None
        raise refuse("broken_file", "the PDF cannot be opened") from error
    if pages > max_pages:
        raise refuse("too_many_pages", f"the PDF has {pages:,} pages, at most {max_pages:,} are read", pages=pages)
    if not pages:
        raise refuse("broken_file", "the PDF has no page")
    return pages


def _unpack(content: bytes) -> None:
    """Unpacks every stream in small steps and keeps nothing, so that a bomb is known before anything holds it."""
    left = _UNPACKED
    for start in (match.end() for match in _STREAM.finditer(content)):
        left -= sum(_sizes(memoryview(content)[start:], left, _NESTING))
        if left <= 0:
            raise refuse("too_large", f"the PDF unpacks to more than {_UNPACKED:,} bytes")


def _sizes(packed: Any, most: int, nesting: int) -> Iterator[int]:
    """How many bytes come out of a packed stream, step by step; of a packed stream inside it too."""
    unpacker, seen, head = zlib.decompressobj(), 0, b""
    try:
        for start in range(0, len(packed), _BLOCK):
            block = bytes(packed[start : start + _BLOCK])
            while block and seen <= most and not unpacker.eof:
                out = unpacker.decompress(block, 1 << 20)
                block = unpacker.unconsumed_tail
                seen += len(out)
                yield len(out)
                head = head + out if len(head) < _BLOCK else head
            if unpacker.eof or seen > most:
                break
    except zlib.error:
        pass
    if nesting and head[:1] == b"\x78":
        yield from _sizes(memoryview(head), most - seen, nesting - 1)


def lines(content: bytes) -> list[list[Line]]:
    """The text of each page, line by line, with gaps between columns kept apart."""
    with pdfplumber.open(io.BytesIO(content)) as document:
        return [_lines(page, number) for number, page in enumerate(document.pages, start=1)]


def _lines(page: Any, number: int) -> list[Line]:
    words = page.dedupe_chars().extract_words(keep_blank_chars=False, use_text_flow=False, x_tolerance_ratio=0.15)
    rows: list[list[Any]] = []
    for word in sorted(words, key=lambda word: (round(word["bottom"] / 3), word["x0"])):
        if not rows or not _continues(rows[-1][-1], word):
            rows.append([])
        rows[-1].append(word)
    return [_line(row, page, number) for row in rows]


def _continues(before: Any, word: Any) -> bool:
    height = max(before["bottom"] - before["top"], 1.0)
    same_row = abs(before["bottom"] - word["bottom"]) < height / 2
    return bool(same_row and -height < word["x0"] - before["x1"] < _COLUMN_GAP * height)


def _line(words: list[Any], page: Any, number: int) -> Line:
    place = Box(
        left=min(word["x0"] for word in words),
        top=min(word["top"] for word in words),
        right=max(word["x1"] for word in words),
        bottom=max(word["bottom"] for word in words),
    )
    width, height = float(page.width), float(page.height)
    parts = Box(
        left=place.left / width, top=place.top / height, right=place.right / width, bottom=place.bottom / height
    )
    text = " ".join(word["text"] for word in words)
    return Line(text=text, confidence=1.0, page=number, box=parts, place=place)


def render(content: bytes, number: int, max_pixels: int) -> Any:
    """The picture of a page, counted from 1, as an array of blue, green and red."""
    with pypdfium2.PdfDocument(content) as document:
        page = document[number - 1]
        inches = (page.get_width() / 72) * (page.get_height() / 72)
        dots = min(DOTS_PER_INCH, (max_pixels / max(inches, 1e-6)) ** 0.5)
        bitmap = page.render(scale=dots / 72)
        return np.ascontiguousarray(bitmap.to_numpy()[:, :, :3])
