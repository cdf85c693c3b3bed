"""Paths of nodes: `ocr`, `pages[17]/ocr`, `split[legal]/poll[2]/check`.

A frame is one run of a body: an item of a map, an iteration of a loop, a branch of a fork. Its path ends with the
index in brackets; the frame of the flow itself is the empty path.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

ROOT: Final = ""


def frame_of(path: str) -> str:
    """The frame in which a node stands."""
    return path.rpartition("/")[0]


def name_of(path: str) -> str:
    """The id of the node at a path; of a frame, that of its container."""
    return path.rpartition("/")[2].partition("[")[0]


def within(frame: str, name: str) -> str:
    """The path of a node in a frame."""
    return f"{frame}/{name}" if frame else name


def is_frame(path: str) -> bool:
    return path.endswith("]")


def frame(container: str, index: int | str) -> str:
    """The path of one run of a container's body."""
    return f"{container}[{index}]"


def container_of(frame: str) -> str:
    """The path of the node whose body runs in a frame."""
    return frame[: frame.rindex("[")]


def index_of(frame: str) -> str:
    """The number of an item or iteration, or the name of a branch."""
    return frame[frame.rindex("[") + 1 : -1]


def is_inside(path: str, frame: str) -> bool:
    """True for everything below a frame or a container, at any depth."""
    return path.startswith((f"{frame}/", f"{frame}["))


def around(path: str) -> Iterator[str]:
    """The frames and containers that a node or frame stands in, innermost first."""
    frame = container_of(path) if is_frame(path) else frame_of(path)
    while frame:
        yield frame
        frame = container_of(frame) if is_frame(frame) else frame_of(frame)
