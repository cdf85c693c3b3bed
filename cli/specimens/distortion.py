"""What a camera and a hand do to a picture, as numbers."""

from __future__ import annotations

import random
from dataclasses import dataclass
from typing import Final


@dataclass(frozen=True, kw_only=True, slots=True)
class Distortion:
    """How a page is photographed.

    `width`: the page's in the picture, in pixels. `rotation`: degrees, counter-clockwise. `quarter_turns`: of the whole
    picture. `perspective`: by what part of the page's size a corner is out of place at most. `blur`: sigma in pixels.
    `noise`: sigma in grey levels of 255. `light`: how much darker the darkest corner is, 0 to 1. `glare`: where on
    the page a lamp is mirrored, in parts of its width and height. `jpeg`: quality, or none for PNG.
    """

    width: int = 1200
    rotation: float = 0.0
    quarter_turns: int = 0
    perspective: float = 0.0
    blur: float = 0.0
    noise: float = 0.0
    light: float = 0.0
    glare: tuple[float, float] | None = None
    jpeg: int | None = None


PLAIN: Final = Distortion()


def moderate(seed: int, severity: float = 1.0) -> Distortion:
    """The distortion that the measures hold for, drawn evenly up to its limits; `severity` scales all of them.

    At 1: rotation up to 8 degrees, blur up to 1.6, noise 6, perspective 5 %, JPEG 60 to 90, pages 1,000 to 1,400 wide.
    """
    dice = random.Random(seed)  # noqa: S311 - nothing secret
    return Distortion(
        width=dice.randint(1000, 1400),
        rotation=dice.uniform(-8, 8) * severity,
        perspective=0.05 * severity,
        blur=dice.uniform(0, 1.6) * severity,
        noise=6 * severity,
        light=dice.uniform(0, 0.3),
        jpeg=max(20, round(100 - dice.uniform(10, 40) * severity)),
    )
