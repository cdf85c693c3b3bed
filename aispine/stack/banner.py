"""What `aispine up` says once everything answers."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import aispine

_RESET: Final = "\x1b[0m"
_BOLD: Final = "\x1b[1m"
_DIM: Final = "\x1b[2m"
_GREEN: Final = "\x1b[32m"


Suggestion = tuple[str, str]
"""A command, and what it is for."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Running:
    """What is told of a stack that runs; `key_file` is where its key is kept, None when it came from elsewhere."""

    url: str
    home: Path
    api_key: str | None
    key_file: Path | None = None
    flower_url: str | None = None
    starting: Sequence[str] = ()
    """The processes that are not ready yet."""


def banner(running: Running, suggestions: Sequence[Suggestion] = (), *, coloured: bool = False) -> str:
    """The banner as text, with ANSI styles when `coloured`."""

    def style(code: str, text: str) -> str:
        return f"{code}{text}{_RESET}" if coloured else text

    head = "  " + style(_BOLD + _GREEN, f"AI Spine {aispine.__version__} is running")
    rows = (f"  {style(_DIM, f'{name:<9}')} {value}" for name, value in _rows(running))
    end = f"  {style(_DIM, 'Ctrl-C stops everything.')}"
    return "\n".join(["", head, "", *rows, "", *_next(suggestions), end, ""])


def _rows(running: Running) -> Iterator[tuple[str, str]]:
    yield "API", running.url
    yield "Docs", f"{running.url}/docs"
    if running.flower_url is not None:
        yield "Flower", running.flower_url
    yield "API key", running.api_key or "the one made when this database was first set up (AISPINE_API_KEY)"
    if running.key_file is not None:
        yield "", f"kept in {running.key_file}"
    yield "Home", str(running.home)
    if running.starting:
        yield "Starting", f"{', '.join(running.starting)}; what is asked for meanwhile waits for them"


def _next(suggestions: Sequence[Suggestion]) -> Iterator[str]:
    if not suggestions:
        return
    yield "  Try next, in another terminal:"
    for command, what in suggestions:
        yield f"    {command}"
        yield f"        {what}"
    yield ""
