"""RapidOCR: finds the lines of a picture, turns them upright and reads them."""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from typing import Any, Final

import cv2
import numpy as np

from . import ctc, geometry, spacing
from .document import Line
from .geometry import Picture, Quad
from .spacing import Piece

DETECTION_SIDE: Final = 1280
"""Lines are looked for in a picture whose longer side is no longer; they are read from the whole one."""
HEIGHT: Final = 48
_SILENT: Final = ("ORT_TELEMETRY_DISABLED", "ORT_DISABLE_TELEMETRY")
"""What two of its versions look for."""
_LEAST_WIDTH: Final = 320
_WIDTH_STEP: Final = 32
"""Crops are as wide as a multiple of it, and no narrower than those that the recogniser has learnt from."""
_LEAST_CONFIDENCE: Final = 0.35
_UPSIDE_DOWN: Final = 0.6
"""Pages that read worse are tried the other way up."""
_JUDGES: Final = 5
"""The lines by which it is judged which way up a page is."""
_JUDGED: Final = 9.0
"""How much of each is read for that, in parts of its height."""
_SURE: Final = 0.9
"""Text that reads as well as this is not the other way up."""
_SMALL: Final = 0.5
"""A part of the picture: text that fills less of it is looked at from nearer."""
_MOST_OBLONG: Final = 2.0


@dataclass(frozen=True, kw_only=True, slots=True)
class Seen:
    """The lines of a picture, and by how many degrees clockwise it had to be turned."""

    lines: tuple[Line, ...]
    rotation: float


@cache
def _engine() -> Any:
    """One thread for each model: a worker runs as many processes as there are cores."""
    # Official builds of ONNX Runtime tell Microsoft of every session, unless told not to before they are loaded.
    os.environ.update(dict.fromkeys(_SILENT, "1"))
    from rapidocr import RapidOCR

    threads = dict.fromkeys(("intra_op_num_threads", "inter_op_num_threads"), 1)
    settings = {f"EngineConfig.onnxruntime.{name}": count for name, count in threads.items()}
    engine = RapidOCR(params={**settings, "Global.log_level": "error"})
    for model in ("det", "rec"):
        getattr(engine, f"_load_{model}_model")()  # It loads each at its first use, and these are used by themselves.
    return engine


def characters() -> Sequence[str]:
    """What the columns of a line's `frames` stand for; the first is the blank."""
    found: Sequence[str] = _engine().text_rec.postprocess_op.character
    return found


def see(picture: Picture, page: int) -> Seen:
    """The lines of a picture in blue, green and red; none when there is no text in it."""
    quads = _detect(picture)
    if not quads:
        return Seen(lines=(), rotation=0.0)
    angle = _angle(picture, quads)
    seen = _read_page(picture, quads, angle, page)
    if _mean(seen) < _UPSIDE_DOWN:
        seen = max(seen, _read_page(picture, quads, angle + 180, page), key=_mean)
    return seen


def _mean(seen: Seen) -> float:
    return float(np.mean([line.confidence for line in seen.lines])) if seen.lines else 0.0


def _angle(picture: Picture, quads: Sequence[Quad]) -> float:
    """In which direction the page is read, in degrees: along its longest lines, the way in which these read better."""
    longest = [geometry.lengthwise(quad) for quad in geometry.longest(quads, _JUDGES)]
    axis = geometry.axis(longest)
    judged = [geometry.beginning(quad, _JUDGED) for quad in longest]
    one = _sureness(picture, judged, axis)
    if one >= _SURE:
        return axis
    return axis if one >= _sureness(picture, judged, axis + 180) else axis + 180


def _sureness(picture: Picture, quads: Sequence[Quad], angle: float) -> float:
    crops = [geometry.crop(picture, geometry.facing(quad, angle), HEIGHT) for quad in quads]
    read = zip(frames_of(crops), crops, strict=True)
    pieces = [piece for frames, crop in read for piece in spacing.decode(frames, characters(), crop)]
    letters = sum(len(piece.text) for piece in pieces)
    return sum(piece.confidence * len(piece.text) for piece in pieces) / max(1, letters)


def _detect(picture: Picture) -> list[Quad]:
    found = _detect_in(picture)
    corner, part = _text_part(picture, found)
    if part is None:
        return found
    return [quad + corner for quad in _detect_in(part)] or found


def _detect_in(picture: Picture) -> list[Quad]:
    scale = min(1.0, DETECTION_SIDE / max(picture.shape[:2]))
    small = cv2.resize(picture, None, fx=scale, fy=scale, interpolation=cv2.INTER_AREA) if scale < 1 else picture
    boxes = _engine().text_det(_less_oblong(small)).boxes
    return [] if boxes is None else [np.asarray(box, np.float32) / scale for box in boxes]


def _text_part(picture: Picture, quads: Sequence[Quad]) -> tuple[Any, Picture | None]:
    """The part of a reduced picture that has all the text, when it is small enough to be seen better by itself."""
    height, width = picture.shape[:2]
    if not quads or max(height, width) <= DETECTION_SIDE:
        return np.zeros(2, np.float32), None
    box = geometry.box_of(np.concatenate(quads))
    margin = 0.05 * max(box.width, box.height)
    left, top = max(0, int(box.left - margin)), max(0, int(box.top - margin))
    right, bottom = min(width, int(box.right + margin)), min(height, int(box.bottom + margin))
    small = (right - left) * (bottom - top) < _SMALL * width * height
    return np.array([left, top], np.float32), picture[top:bottom, left:right] if small else None


def _less_oblong(picture: Picture) -> Picture:
    """With paper below or beside a strip: the detector would enlarge it until its shorter side is long enough."""
    height, width = picture.shape[:2]
    down, right = max(0, round(width / _MOST_OBLONG) - height), max(0, round(height / _MOST_OBLONG) - width)
    if not down and not right:
        return picture
    paper = [float(np.median(picture[:, :, channel])) for channel in range(3)]
    return cv2.copyMakeBorder(picture, 0, down, 0, right, cv2.BORDER_CONSTANT, value=paper)


def _read_page(picture: Picture, quads: Sequence[Quad], angle: float, page: int) -> Seen:
    standing = [geometry.facing(quad, angle) for quad in quads]
    crops = [geometry.crop(picture, quad, HEIGHT) for quad in standing]
    turned = geometry.upright(angle)
    lines = [
        _line(picture, geometry.between(quad, piece.start, piece.end), piece, frames, turned, page)
        for quad, crop, frames in zip(standing, crops, frames_of(crops), strict=True)
        for piece in spacing.decode(frames, characters(), crop)
        if piece.confidence >= _LEAST_CONFIDENCE
    ]
    return Seen(lines=tuple(lines), rotation=-geometry.signed(angle))


def _line(picture: Picture, quad: Quad, piece: Piece, frames: Any, turned: Any, page: int) -> Line:
    return Line(
        text=piece.text,
        confidence=piece.confidence,
        page=page,
        box=geometry.box_in(quad, picture.shape),
        place=geometry.box_of(quad @ turned),
        frames=frames[int(piece.start * len(frames)) : int(np.ceil(piece.end * len(frames)))],
        quad=quad,
    )


def read_again(picture: Picture, line: Line, stretch: float) -> Any:
    """The frames of a line of a machine-readable zone, with more room around it and stretched lengthwise."""
    crop = geometry.crop(picture, geometry.grown(line.quad, along=0.7, across=0.08), HEIGHT, stretch)
    return ctc.project(frames_of([crop])[0], characters())


def frames_of(crops: Sequence[Picture]) -> list[Any]:
    """What the recogniser sees in each crop: (frames, characters), without those of the padding."""
    return [_frames(crop) for crop in crops]


def _frames(crop: Picture) -> Any:
    """Crops go in one by one: on one core a batch is no quicker, and all of it would be as wide as its widest."""
    width = crop.shape[1]
    padded = max(_LEAST_WIDTH, -(-width // _WIDTH_STEP) * _WIDTH_STEP)
    frames = _engine().text_rec.session(_normal(crop, padded)[np.newaxis])[0]
    return frames[: max(1, int(np.ceil(len(frames) * width / padded)))]


def _normal(crop: Picture, width: int) -> Any:
    padded = np.zeros((3, HEIGHT, width), np.float32)
    padded[:, :, : crop.shape[1]] = crop.astype(np.float32).transpose(2, 0, 1) / 127.5 - 1
    return padded
