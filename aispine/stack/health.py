"""How a look at one part of the stack ends when it is not well."""

from __future__ import annotations

from aispine.errors import AISpineError


class Unwell(AISpineError):
    """A part is not well; the hint is the remedy."""


class Skipped(AISpineError):
    """A part cannot be looked at."""
