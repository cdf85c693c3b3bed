"""Pictures: opened only when their head promises no more pixels than may be."""

from __future__ import annotations

import io
import warnings
from typing import Any, Final

import numpy as np
from PIL import Image, ImageOps, UnidentifiedImageError

from .refusal import refuse

LONGEST: Final = 4000
"""Larger pictures are reduced to this many pixels on their longer side: print is legible long before."""


def load(content: bytes, max_pixels: int) -> Any:
    """The picture as an array of blue, green and red, the right way up for its camera. Refuses bombs."""
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", Image.DecompressionBombWarning)
            image = Image.open(io.BytesIO(content), formats=("PNG", "JPEG"))
    except Image.DecompressionBombError:
        raise refuse("too_many_pixels", f"the picture has far more pixels than {max_pixels:,}") from None
    except (UnidentifiedImageError, OSError, ValueError, SyntaxError) as error:
        raise refuse("broken_file", f"the picture cannot be opened: {error}") from error
    if image.width * image.height > max_pixels:
        pixels = f"{image.width} x {image.height}"
        raise refuse("too_many_pixels", f"the picture has {pixels} pixels, at most {max_pixels:,} are read")
    return _array(image)


def _array(image: Image.Image) -> Any:
    try:
        image.draft("RGB", (LONGEST, LONGEST))
        upright = ImageOps.exif_transpose(image)
        upright.thumbnail((LONGEST, LONGEST))
        return np.ascontiguousarray(np.asarray(_on_white(upright))[:, :, ::-1])
    except (OSError, ValueError, SyntaxError, EOFError) as error:
        raise refuse("broken_file", f"the picture ends too early or is damaged: {error}") from error


def _on_white(image: Image.Image) -> Image.Image:
    """What shines through is paper."""
    if "A" not in image.getbands() and "transparency" not in image.info:
        return image.convert("RGB")
    layered = image.convert("RGBA")
    paper = Image.new("RGBA", layered.size, "white")
    return Image.alpha_composite(paper, layered).convert("RGB")
