"""Tesseract, where it is installed: a second pair of eyes for what RapidOCR reads badly."""

from __future__ import annotations

import csv
import io
import shutil
import subprocess
from collections.abc import Sequence
from functools import cache
from itertools import groupby
from typing import Any, Final

import cv2

from .document import Box, Line, around

_SECONDS: Final = 60
_WORD: Final = "5"
_LANGUAGES: Final = ("spa", "eng")


def installed() -> bool:
    """True when there is a `tesseract` on the path."""
    return shutil.which("tesseract") is not None


@cache
def _languages() -> str:
    known = subprocess.run(
        ["tesseract", "--list-langs"], capture_output=True, text=True, check=True, timeout=_SECONDS
    ).stdout.split()
    return "+".join(name for name in _LANGUAGES if name in known) or "eng"


def see(picture: Any, page: int) -> list[Line]:
    """The lines of a picture; none when Tesseract is not installed or cannot read it."""
    if not installed():
        return []
    command = ["tesseract", "stdin", "stdout", "-l", _languages(), "--psm", "3", "tsv"]
    encoded = cv2.imencode(".png", picture)[1].tobytes()
    ended = subprocess.run(command, input=encoded, capture_output=True, check=False, timeout=_SECONDS)
    return [] if ended.returncode else lines(ended.stdout.decode("utf-8", "replace"), picture.shape, page)


def lines(table: str, shape: Sequence[int], page: int) -> list[Line]:
    """The lines in a table of words as Tesseract writes it."""
    rows = csv.DictReader(io.StringIO(table), delimiter="\t", quoting=csv.QUOTE_NONE)
    words = [row for row in rows if row["level"] == _WORD and (row["text"] or "").strip()]
    held = groupby(words, key=lambda row: (row["block_num"], row["par_num"], row["line_num"]))
    return [_line(list(group), shape, page) for _, group in held]


def _line(words: Sequence[Any], shape: Sequence[int], page: int) -> Line:
    place = around(_box(word) for word in words)
    height, width = shape[:2]
    return Line(
        text=" ".join(word["text"].strip() for word in words),
        confidence=sum(max(0.0, float(word["conf"])) for word in words) / len(words) / 100,
        page=page,
        box=Box(
            left=place.left / width, top=place.top / height, right=place.right / width, bottom=place.bottom / height
        ),
        place=place,
    )


def _box(word: Any) -> Box:
    left, top, width, height = (float(word[name]) for name in ("left", "top", "width", "height"))
    return Box(left=left, top=top, right=left + width, bottom=top + height)
