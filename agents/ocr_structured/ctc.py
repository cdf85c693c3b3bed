"""Reads a line of known length from a recogniser's frames: the likeliest text with exactly so many characters."""

from collections.abc import Mapping, Sequence
from itertools import pairwise
from typing import Any, Final

import numpy as np

from .mrz_format import ALPHABET, ANGLES, FILLER

FLOOR: Final = 1e-7
_FILLER_FLOOR: Final = 1e-4
"""A place at which nothing was seen is most likely a filler."""
Frames = Any
"""An array (frames, 1 + len(ALPHABET)) of probabilities; column 0 is the blank."""

_ALIASES: Final = {FILLER: ANGLES}


def project(frames: Any, characters: Sequence[str]) -> Frames:
    """Reduces a recogniser's frames to the alphabet of machine-readable zones; small letters count as large ones."""
    index = {char: place for place, char in enumerate(characters)}
    columns = [_sum(frames, [index[name] for name in _names(char) if name in index]) for char in ALPHABET]
    return np.clip(np.stack([frames[:, 0], *columns], axis=1), FLOOR, 1.0)


def _names(char: str) -> set[str]:
    return {char, char.lower(), *_ALIASES.get(char, "")}


def _sum(frames: Any, places: list[int]) -> Any:
    return frames[:, places].sum(axis=1)


def glyphs(frames: Frames, length: int) -> list[Mapping[str, float]] | None:
    """The cost of every character at each of `length` places; None when there are too few frames for so many."""
    centres = align(frames, length)
    if centres is None:
        return None
    edges = [0, *((left + right + 1) // 2 for left, right in pairwise(centres)), len(frames)]
    return [_glyph(frames[first : max(last, first + 1)]) for first, last in pairwise(edges)]


def _glyph(frames: Frames) -> Mapping[str, float]:
    chances = frames[:, 1:].max(axis=0)
    chances[ALPHABET.index(FILLER)] = max(chances[ALPHABET.index(FILLER)], _FILLER_FLOOR)
    costs = -np.log(chances)
    costs -= costs.min()
    return dict(zip(ALPHABET, costs.tolist(), strict=True))


def align(frames: Frames, length: int) -> list[int] | None:
    """The frame in which each of `length` characters stands: Viterbi over all texts of exactly that length.

    Between two equal characters there must be a blank, as in any CTC path.
    """
    scores = np.log(frames)
    filler = 1 + ALPHABET.index(FILLER)
    scores[:, filler] = np.maximum(scores[:, filler], np.log(_FILLER_FLOOR))
    count, size = scores.shape
    if count < length:
        return None
    emitted = np.full((length + 1, size), -np.inf)
    emitted[0, 0] = 0.0  # Nothing is written yet, and the last frame was blank.
    back = np.zeros((count, length + 1, size), np.int16)
    for frame in range(count):
        emitted = _advance(emitted, scores[frame], back[frame])
    return _centres(back, emitted)


def _advance(emitted: Any, score: Any, back: Any) -> Any:
    """One frame on. `back` gets where each state came from: 0 itself, else 1 + the column in the row before."""
    row_best = emitted.argmax(axis=1)
    best = emitted[np.arange(len(emitted)), row_best]
    value, origin = _other_columns(emitted[:-1], row_best[:-1], best[:-1])
    value += score
    following = emitted + score
    following[:, 0] = best + score[0]
    back[:, 0] = 1 + row_best
    better = value[:, 1:] > following[1:, 1:]
    back[1:, 1:] = np.where(better, 1 + origin[:, 1:], 0)
    np.maximum(following[1:, 1:], value[:, 1:], out=following[1:, 1:])
    return following


def _other_columns(emitted: Any, row_best: Any, best: Any) -> tuple[Any, Any]:
    """For each state the best one of its row that is not itself: the value and the column."""
    rows = np.arange(len(emitted))
    without = emitted.copy()
    without[rows, row_best] = -np.inf
    second = without.argmax(axis=1)
    value, origin = np.repeat(best[:, None], emitted.shape[1], 1), np.repeat(row_best[:, None], emitted.shape[1], 1)
    value[rows, row_best], origin[rows, row_best] = without[rows, second], second
    return value, origin


def _centres(back: Any, emitted: Any) -> list[int] | None:
    row, column = emitted.shape[0] - 1, int(emitted[-1].argmax())
    if not np.isfinite(emitted[row, column]):
        return None
    centres: list[int] = []
    for frame in range(len(back) - 1, -1, -1):
        origin = int(back[frame, row, column])
        if column == 0:
            column = origin - 1
        elif origin:
            centres.append(frame)
            row, column = row - 1, origin - 1
    return centres[::-1]
