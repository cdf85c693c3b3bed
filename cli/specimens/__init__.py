"""Identity documents of invented people, drawn and photographed: what the demo sends and the measures of OCR read.

`draw` makes the picture, `invent` a person, `Distortion` says what the camera did. The machine-readable zone is
composed here from ICAO 9303 and not by the code that reads it. Nothing looks like the document of a real state: the
issuer is Utopia, and every page says SPECIMEN. Needs the extra `ocr` (Pillow, NumPy, OpenCV), imported when drawing.
"""

from __future__ import annotations

from typing import Final

from cli.specimens.distortion import PLAIN, Distortion, moderate
from cli.specimens.person import Person, invent
from cli.specimens.zone import FORMATS, compose

KINDS: Final = ("td1_front", "td1_back", "td2", "td3", "mrva", "mrvb", "licence")

__all__ = ["FORMATS", "KINDS", "PLAIN", "Distortion", "Person", "compose", "draw", "invent", "moderate"]


def draw(kind: str, person: Person, distortion: Distortion = PLAIN, seed: int = 0) -> bytes:
    """A picture of a document: JPEG when the distortion names a quality, else PNG.

    `kind` is one of `KINDS`; the same arguments give the same bytes. Raises `ValueError` for an unknown kind and
    `ImportError` without the extra `ocr`.
    """
    from cli.specimens import camera, page

    if kind not in KINDS:
        raise ValueError(f"no specimen {kind!r}; there are {', '.join(KINDS)}")
    return camera.photograph(page.draw(kind, person), distortion, seed)
