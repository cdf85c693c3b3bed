"""Where python agents live: the built-in folder, the home, and what the settings name."""

from __future__ import annotations

import contextlib
import os
import sys
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Final

import aispine
from aispine.agent.manifest import FILE
from aispine.settings import Settings

BUILT_IN: Final = "agents"


def built_in() -> Path:
    """The folder of the agents that come with AI Spine: beside the packages in a checkout, else the wheel's data."""
    beside = Path(aispine.__file__).parent.parent / BUILT_IN
    installed = Path(sys.prefix) / "share" / "aispine" / BUILT_IN
    return beside if (beside / "echo" / FILE).is_file() else installed


def is_built_in(folder: str | None) -> bool:
    """True for the folder of an agent that comes with AI Spine."""
    return folder is not None and Path(folder).parent == built_in()


def fingerprint(paths: Iterable[Path]) -> frozenset[tuple[str, int, int]]:
    """What changes when an agent comes, goes or is edited: the place, time and size of each definition."""
    found = set()
    for folder in (folder for path in paths for folder in agent_folders(path)):
        with contextlib.suppress(OSError):  # It went while it was looked at: the next look sees that.
            status = (folder / FILE).stat()
            found.add((str(folder), status.st_mtime_ns, status.st_size))
    return frozenset(found)


def search_path(settings: Settings) -> tuple[Path, ...]:
    """The folders whose sub-folders are agents; a later one wins."""
    named = (Path(part).expanduser() for part in settings.agents_path.split(":") if part)
    return (built_in(), settings.home / BUILT_IN, *named)


def agent_folders(path: Path) -> Iterator[Path]:
    """The agents under a folder, or the folder itself when it is an agent."""
    if (path / FILE).is_file():
        yield path
    elif path.is_dir():
        yield from sorted(child for child in path.iterdir() if (child / FILE).is_file())


def locate(agent_id: str, registered: str, settings: Settings) -> str | None:
    """The agent's folder on this machine: where it was registered, else the folder of its name on the search path."""
    if _is_agent(registered):
        return registered
    candidates = (str(path / agent_id) for path in reversed(search_path(settings)))
    return next(filter(_is_agent, candidates), None)


def _is_agent(folder: str) -> bool:
    """Without `Path`, which would be the dearest part of calling a quick agent."""
    return bool(folder) and os.access(f"{folder}/{FILE}", os.R_OK)
