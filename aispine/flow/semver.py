"""Semantic versions and ranges of them, as npm writes ranges (`^1.0`, `>=2 <3`, `1.x`, `*`)."""

from __future__ import annotations

import functools
import re
from collections.abc import Iterable
from typing import Final

from semantic_version import NpmSpec, Version

from aispine.errors import InvalidRequest

__all__ = ["ANY", "LATEST", "Version", "best", "check_range", "matches", "next_patch", "parse_version"]

ANY: Final = "*"
LATEST: Final = "latest"
MAX_LENGTH: Final = 100
_LEADING_V: Final = re.compile(r"v(?=\d)")


@functools.lru_cache(maxsize=4096)
def parse_version(text: str) -> Version:
    """Reads `1.2.3`; a leading `v` is allowed. Raises `InvalidRequest` on anything else."""
    try:
        return Version(_LEADING_V.sub("", text, count=1) if len(text) <= MAX_LENGTH else "")
    except ValueError as error:
        raise InvalidRequest(
            f"`{text[:MAX_LENGTH]}` is not a semantic version", field="version", hint=_version_hint(text)
        ) from error


def check_range(text: str) -> None:
    """Raises `InvalidRequest` when the text is not a range of versions."""
    _range(text)


def matches(range_: str, version: str) -> bool:
    """True when the version lies in the range; a pre-release only when the range names one."""
    return bool(_range(range_).match(parse_version(version)))


def best(range_: str, versions: Iterable[str]) -> str | None:
    """The highest of the versions that lies in the range, as it was written; None when none does."""
    wanted = _range(range_)
    fitting = [(version, text) for text in versions if wanted.match(version := parse_version(text))]
    return max(fitting, key=lambda pair: pair[0].precedence_key)[1] if fitting else None


def next_patch(version: str) -> str:
    """The next version for a small change: `1.2.3` -> `1.2.4`."""
    return str(parse_version(version).next_patch())


@functools.lru_cache(maxsize=1024)
def _range(text: str) -> NpmSpec:
    wanted = ANY if text.strip() in {"", LATEST} else _LEADING_V.sub("", text)
    try:
        return NpmSpec(wanted if len(text) <= MAX_LENGTH else "?")
    except ValueError as error:
        raise InvalidRequest(
            f"`{text[:MAX_LENGTH]}` is not a range of versions",
            field="version",
            hint="Write for example `^1.0`, `~1.2.3`, `>=1.2 <3`, `1.x` or `*`.",
        ) from error


def _version_hint(text: str) -> str:
    try:
        return f"Write `{Version.coerce(text.strip()[:MAX_LENGTH])}`."
    except ValueError:
        return "Write MAJOR.MINOR.PATCH, for example `1.0.0`."
