"""Regular expressions that come from outside: each match has a time limit, since some take for ever on some texts."""

from __future__ import annotations

import functools
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    import regex

SECONDS: Final = 0.2
"""The time that one pattern may take on one text."""


def search(pattern: str, text: str) -> bool:
    """True when the text matches the pattern anywhere. Raises `ValueError` when that takes too long to say."""
    try:
        return _compiled(pattern).search(text, timeout=SECONDS) is not None
    except TimeoutError:
        raise ValueError(f"the pattern `{pattern[:100]}` takes too long on a text of {len(text):,}") from None


def problem(pattern: str) -> str | None:
    """Why the pattern cannot be used, None when it can."""
    try:
        _compiled(pattern)
    except ValueError as error:
        return str(error)
    return None


@functools.lru_cache(maxsize=1024)
def _compiled(pattern: str) -> regex.Pattern[str]:
    # Here, since it takes 6 MB and most processes never meet a pattern.
    import regex

    try:
        return regex.compile(pattern)
    except (regex.error, RecursionError, OverflowError, MemoryError) as error:
        raise ValueError(f"the pattern `{pattern[:100]}` is malformed: {error}") from None
