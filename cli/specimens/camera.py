"""Photographs a page: lays it on a table and does to it what a `Distortion` says."""

from __future__ import annotations

from typing import Any, Final, TypeAlias

import cv2
import numpy as np
from numpy.typing import NDArray
from PIL import Image

from cli.specimens.distortion import Distortion

Picture: TypeAlias = NDArray[np.uint8]

_MARGIN: Final = 0.14
_TABLE: Final = (96, 112, 128)
_GLARE: Final = 0.14
"""Half the width of a mirrored lamp, in parts of the page's width; it fades out over as much again."""


def photograph(page: Image.Image, distortion: Distortion, seed: int) -> bytes:
    """The picture as JPEG, or as PNG when the distortion names no quality."""
    dice = np.random.default_rng(seed)
    picture = _on_table(_mirroring(np.asarray(page)[:, :, ::-1], distortion.glare), distortion, dice)
    picture = _lit(picture, distortion.light, dice)
    if distortion.blur > 0:
        picture = cv2.GaussianBlur(picture, (0, 0), distortion.blur)
    if distortion.noise > 0:
        picture = _clipped(picture + dice.normal(0, distortion.noise, picture.shape))
    return _encoded(np.ascontiguousarray(np.rot90(picture, distortion.quarter_turns)), distortion.jpeg)


def _mirroring(page: Any, glare: tuple[float, float] | None) -> Any:
    """The page with a lamp in it, behind which the print cannot be seen."""
    if glare is None:
        return page
    height, width = page.shape[:2]
    y, x = np.mgrid[0:height, 0:width]
    away = np.hypot(x - glare[0] * width, (y - glare[1] * height) * 2) / (_GLARE * width)
    light = np.clip(2 - away, 0, 1)[:, :, None]
    return _clipped(page * (1 - light) + 255 * light)


def _on_table(page: Any, distortion: Distortion, dice: np.random.Generator) -> Picture:
    """Turns, tilts and shrinks the page in one warp, so that it is resampled once."""
    height, width = page.shape[:2]
    scale = distortion.width / width
    target = np.array([width, height]) * scale
    canvas = np.ceil(target * (1 + 2 * _MARGIN)).astype(int)
    corners = np.array([[0, 0], [width, 0], [width, height], [0, height]], np.float32)
    placed = (corners - corners.mean(0)) * scale
    placed += dice.uniform(-1, 1, (4, 2)) * distortion.perspective * target
    turned = placed @ _turn(distortion.rotation).T
    canvas = np.maximum(canvas, np.ceil(np.ptp(turned, axis=0) * 1.06).astype(int))
    centred = turned - (turned.min(0) + turned.max(0)) / 2 + canvas / 2
    matrix = cv2.getPerspectiveTransform(corners, centred.astype(np.float32))
    sharp = cv2.GaussianBlur(page, (0, 0), max(0.01, 0.35 / scale)) if scale < 1 else page
    size = (int(canvas[0]), int(canvas[1]))
    return np.asarray(cv2.warpPerspective(sharp, matrix, size, borderValue=_TABLE), np.uint8)


def _turn(degrees: float) -> NDArray[np.float64]:
    angle = np.radians(degrees)
    return np.array([[np.cos(angle), np.sin(angle)], [-np.sin(angle), np.cos(angle)]])


def _lit(picture: Picture, light: float, dice: np.random.Generator) -> Picture:
    """A lamp that stands at one side."""
    if light <= 0:
        return picture
    height, width = picture.shape[:2]
    angle = dice.uniform(0, 2 * np.pi)
    y, x = np.mgrid[0:1:height * 1j, 0:1:width * 1j]  # fmt: skip
    slope = x * np.cos(angle) + y * np.sin(angle)
    slope = (slope - slope.min()) / np.ptp(slope)
    return _clipped(picture * (1 - light * slope)[:, :, None])


def _clipped(values: NDArray[Any]) -> Picture:
    return np.clip(values, 0, 255).astype(np.uint8)


def _encoded(picture: Picture, jpeg: int | None) -> bytes:
    kind, options = (".png", []) if jpeg is None else (".jpg", [cv2.IMWRITE_JPEG_QUALITY, jpeg])
    return bytes(cv2.imencode(kind, picture, options)[1])
