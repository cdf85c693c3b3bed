"""What `aispine up` says once everything answers."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Final

import aispine

_RESET: Final = "\x1b[0m"
_BOLD: Final = "\x1b[1m"
_DIM: Final = "\x1b[2m"
_GREEN: Final = "\x1b[32m"


def banner(*, url: str, api_key: str | None, home: Path, flower_url: str | None, coloured: bool) -> str:
    """The banner as text, with ANSI styles when `coloured`."""

    def style(code: str, text: str) -> str:
        return f"{code}{text}{_RESET}" if coloured else text

    head = "  " + style(_BOLD + _GREEN, f"AI Spine {aispine.__version__} is running")
    rows = (f"  {style(_DIM, f'{name:<9}')} {value}" for name, value in _rows(url, api_key, home, flower_url))
    return "\n".join(["", head, "", *rows, "", *_next(), "", f"  {style(_DIM, 'Ctrl-C stops everything.')}", ""])


def _rows(url: str, api_key: str | None, home: Path, flower_url: str | None) -> Iterator[tuple[str, str]]:
    yield "API", url
    yield "Docs", f"{url}/docs"
    if flower_url is not None:
        yield "Flower", flower_url
    yield "API key", api_key or "the one made when this database was first set up (AISPINE_API_KEY)"
    yield "Home", str(home)


def _next() -> list[str]:
    return [
        "  Try next, in another terminal (it finds this stack by itself):",
        "    aispine init hello && cd hello    a project with a flow and an agent of your own",
        "    aispine flow list                 the flows that are deployed",
        "    aispine doctor                    a check of every part",
    ]
