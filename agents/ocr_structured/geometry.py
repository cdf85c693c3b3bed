"""Where lines stand in a picture: four corners each, from the first one read to the last, clockwise."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final

import cv2
import numpy as np

from .document import Box

Picture = Any
"""An array (height, width, 3) of bytes: blue, green, red."""
Quad = Any
"""An array (4, 2): top left, top right, bottom right, bottom left of a line as it is read, in pixels."""
WIDEST: Final = 3200


def lengthwise(quad: Quad) -> Quad:
    """The corners in an order in which the first side is the longer one, so that text runs along it."""
    along, across = np.linalg.norm(quad[1] - quad[0]), np.linalg.norm(quad[2] - quad[1])
    return np.roll(quad, -1, axis=0) if across > 1.5 * along else quad


def direction(quad: Quad) -> float:
    """The direction of the first side in degrees, clockwise from the right, as the picture is seen."""
    x, y = (quad[1] + quad[2] - quad[0] - quad[3]).tolist()
    return float(np.degrees(np.arctan2(y, x)))


def signed(degrees: float) -> float:
    """The same angle between -180 and 180."""
    return (degrees + 180.0) % 360.0 - 180.0


def axis(quads: Sequence[Quad]) -> float:
    """The direction, to within half a turn, along which most of the length of the lines runs."""
    sides = [(quad[1] + quad[2] - quad[0] - quad[3]) / 2 for quad in quads]
    doubled = sum(np.linalg.norm(side) * np.exp(2j * np.arctan2(side[1], side[0])) for side in sides)
    return float(np.degrees(np.angle(doubled)) / 2)


def facing(quad: Quad, angle: float) -> Quad:
    """The corners in the order in which the first side runs closest to the angle."""
    turned = [np.roll(quad, -step, axis=0) for step in range(4)]
    return min(turned, key=lambda one: abs(signed(direction(one) - angle)))


def longest(quads: Sequence[Quad], count: int) -> list[Quad]:
    """The longest lines, which tell best which way up they are."""
    return sorted(quads, key=lambda quad: -float(np.ptp(quad, axis=0).max()))[:count]


def grown(quad: Quad, along: float, across: float) -> Quad:
    """The quad with its ends moved out by parts of its height."""
    length = (quad[1] + quad[2] - quad[0] - quad[3]) / 2
    height = (quad[3] + quad[2] - quad[0] - quad[1]) / 2
    end = length / max(1e-6, np.linalg.norm(length)) * np.linalg.norm(height) * along
    side = height * across
    return (quad + np.stack([-end - side, end - side, end + side, -end + side])).astype(np.float32)


def between(quad: Quad, start: float, end: float) -> Quad:
    """The part of a line from `start` to `end`, both in parts of its length."""
    top, bottom = quad[1] - quad[0], quad[2] - quad[3]
    corners = [quad[0] + top * start, quad[0] + top * end, quad[3] + bottom * end, quad[3] + bottom * start]
    return np.stack(corners).astype(np.float32)


def beginning(quad: Quad, heights: float) -> Quad:
    """The first part of a line, so many times as long as it is high."""
    length, height = np.linalg.norm(quad[1] - quad[0]), np.linalg.norm(quad[3] - quad[0])
    return between(quad, 0, min(1.0, heights * float(height) / max(1.0, float(length))))


def crop(picture: Picture, quad: Quad, height: int, stretch: float = 1.0) -> Picture:
    """The line as a straight picture of this height; `stretch` makes it longer than it is."""
    length = max(np.linalg.norm(quad[1] - quad[0]), np.linalg.norm(quad[2] - quad[3]))
    tall = max(1.0, float(np.linalg.norm(quad[3] - quad[0])), float(np.linalg.norm(quad[2] - quad[1])))
    width = int(np.clip(round(length / tall * height * stretch), 8, WIDEST))
    source = _reduced(picture, quad, tall / height)
    target = np.array([[0, 0], [width, 0], [width, height], [0, height]], np.float32)
    matrix = cv2.getPerspectiveTransform(quad.astype(np.float32), target)
    return cv2.warpPerspective(source, matrix, (width, height), flags=cv2.INTER_CUBIC, borderMode=cv2.BORDER_REPLICATE)


def _reduced(picture: Picture, quad: Quad, factor: float) -> Picture:
    """Smoothed where the crop will be much smaller, since the warp itself takes single pixels."""
    return cv2.GaussianBlur(picture, (0, 0), factor * 0.4) if factor > 2 else picture


def upright(angle: float) -> Any:
    """The matrix that turns points (as rows) so that text of this direction runs to the right."""
    turn = np.radians(angle)
    return np.array([[np.cos(turn), -np.sin(turn)], [np.sin(turn), np.cos(turn)]])


def box_of(points: Any) -> Box:
    """The box around points."""
    low, high = points.min(axis=0).tolist(), points.max(axis=0).tolist()
    return Box(left=low[0], top=low[1], right=high[0], bottom=high[1])


def box_in(quad: Quad, shape: Sequence[int]) -> Box:
    """The box around a quad in parts of the picture."""
    return box_of(np.clip(quad / np.array([shape[1], shape[0]]), 0, 1))
