"""Words: a recogniser trained on Chinese drops spaces of Latin text, so they are found again in the ink."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Any, Final

import cv2
import numpy as np

_SPACE: Final = " "
_WORD_GAP: Final = 0.3
"""A gap between words, in parts of the height of the ink."""
_FIGURE_GAP: Final = 0.6
"""The same beside a figure or a mark, whose own white is wider."""
_COLUMN_GAP: Final = 1.6
"""A gap that parts two columns which were taken for one line."""
_WIDER: Final = 1.9
"""How many times as wide as the usual gap in its line a gap between words is."""
_HINT: Final = 0.03
"""A probability of a space from which half a gap is enough."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Piece:
    """A part of a line: its text, the mean probability of its characters, and where it is, in parts of the line."""

    text: str
    confidence: float
    start: float
    end: float


@dataclass(frozen=True, kw_only=True, slots=True)
class _Char:
    char: str
    chance: float
    frame: int


def decode(frames: Any, characters: Sequence[str], crop: Any) -> list[Piece]:
    """What the frames spell, with its spaces, cut where two columns were taken for one line."""
    chars = _spelt(frames, characters)
    solid = [char for char in chars if char.char != _SPACE]
    if not solid:
        return []
    gaps = _gaps([char.frame for char in solid], len(frames), crop)
    usual = float(np.median(gaps)) if gaps else 0.0
    pieces: list[list[_Char]] = [[solid[0]]]
    for left, right, gap in zip(solid, solid[1:], gaps, strict=False):
        if gap > max(_COLUMN_GAP, 4 * usual):
            pieces.append([])
        elif _parts(left, right, gap, usual, frames, characters):
            pieces[-1].append(_Char(char=_SPACE, chance=1.0, frame=right.frame))
        pieces[-1].append(right)
    return [_piece(piece, len(frames)) for piece in pieces]


def _spelt(frames: Any, characters: Sequence[str]) -> list[_Char]:
    best = frames.argmax(axis=1).tolist()
    return [
        _Char(char=characters[column], chance=float(frames[place, column]), frame=place)
        for place, column in enumerate(best)
        if column and (place == 0 or best[place - 1] != column)
    ]


def _parts(left: _Char, right: _Char, gap: float, usual: float, frames: Any, characters: Sequence[str]) -> bool:
    """True when a space stands between: the recogniser says so, or the white is wide for this line."""
    between = frames[left.frame + 1 : right.frame + 1, len(characters) - 1]
    chance = float(between.max()) if len(between) else 0.0
    if chance > 0.5:
        return True
    least = _WORD_GAP if left.char.isalpha() and right.char.isalpha() else _FIGURE_GAP
    wide = gap > max(least, _WIDER * usual)
    return wide or (chance > _HINT and gap > max(least, _WIDER * usual) / 2)


def _piece(chars: Sequence[_Char], count: int) -> Piece:
    solid = [char for char in chars if char.char != _SPACE]
    start, end = solid[0].frame / count, (solid[-1].frame + 1) / count
    return Piece(
        text="".join(char.char for char in chars),
        confidence=sum(char.chance for char in solid) / len(solid),
        start=start,
        end=end,
    )


def _gaps(frames: Sequence[int], count: int, crop: Any) -> list[float]:
    """The widest run without ink between each character and the next, in parts of the height of the ink."""
    ink = _ink(crop)
    rows = np.flatnonzero(ink.mean(axis=1) > 0.02)
    height = float(rows[-1] - rows[0] + 1) if len(rows) else float(len(ink))
    columns = ink.sum(axis=0) > max(1.0, 0.04 * height)
    scale = crop.shape[1] / count
    centres = [round((frame + 0.5) * scale) for frame in frames]
    return [_longest_white(columns[left:right]) / height for left, right in pairwise(centres)]


def _ink(crop: Any) -> Any:
    """1 where there is ink: of the two kinds of grey in the crop, the one that covers less of it."""
    grey = cv2.GaussianBlur(cv2.cvtColor(crop, cv2.COLOR_BGR2GRAY), (3, 3), 0)
    _, light = cv2.threshold(grey, 0, 1, cv2.THRESH_BINARY + cv2.THRESH_OTSU)
    return 1 - light if light.mean() >= 0.5 else light


def _longest_white(columns: Any) -> int:
    edges = np.flatnonzero(np.diff(np.concatenate([[True], columns, [True]]).astype(np.int8)))
    return int((edges[1::2] - edges[::2]).max()) if len(edges) else 0
