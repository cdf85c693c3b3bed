"""What was read of a file, as the caller keeps it and gives it back, so that no file is read twice.

The text is this module's own business. What it cannot understand any more counts as nothing: the file is read again.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, replace
from typing import Any

from .document import Box, Line, Page
from .mrz import PageZone
from .mrz_solve import Repair
from .mrz_zone import Zone

Pages = list[Page | None]
"""The pages of one file in their order, None for a page with nothing to read on it."""


def keep(content: bytes, pages: Sequence[Page | None]) -> dict[str, str]:
    """The pages of a file, for who asks about it again."""
    plain = [None if page is None else _plain(page) for page in pages]
    return {"sha256": _name(content), "pages": json.dumps(plain, ensure_ascii=False)}


def find(readings: Sequence[Mapping[str, Any]], content: bytes) -> Pages | None:
    """What was read of a file before; None when it has to be read."""
    known = _name(content) if readings else ""
    kept = next((each["pages"] for each in readings if each["sha256"] == known), None)
    try:
        return None if kept is None else [None if page is None else _page(page) for page in json.loads(kept)]
    except (ValueError, TypeError, KeyError, AttributeError):
        return None


def _name(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()


def _plain(page: Page) -> dict[str, Any]:
    return asdict(replace(page, lines=tuple(replace(line, frames=None, quad=None) for line in page.lines)))


def _page(kept: dict[str, Any]) -> Page:
    lines = tuple(Line(**{**line, "box": Box(**line["box"]), "place": Box(**line["place"])}) for line in kept["lines"])
    zone = None if kept["zone"] is None else _zone(kept["zone"])
    return Page(**{**kept, "lines": lines, "zone": zone, "remembered": True})


def _zone(kept: dict[str, Any]) -> PageZone:
    said = dict(kept["zone"])
    said["lines"] = tuple(said["lines"])
    said["repairs"] = tuple(Repair(**repair) for repair in said["repairs"])
    said["misfits"] = tuple((line, column) for line, column in said["misfits"])
    return PageZone(**{**kept, "zone": Zone(**said), "box": Box(**kept["box"])})
