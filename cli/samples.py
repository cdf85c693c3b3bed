"""The sample flows that come with AI Spine, each with an input beside it."""

from __future__ import annotations

import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import aispine
from aispine.errors import NotFound

FOLDER: Final = "flows"


@dataclass(frozen=True, kw_only=True, slots=True)
class Sample:
    """A flow file and a file with an input for it."""

    flow: Path
    input: Path


def sample(name: str) -> Sample:
    """The sample flow of this name. Raises `NotFound` when this installation has none."""
    for folder in _folders():
        found = Sample(flow=folder / f"{name}.yaml", input=folder / f"{name}.input.json")
        if found.flow.is_file() and found.input.is_file():
            return found
    raise NotFound(f"the sample flow {name} is missing from this installation", hint="Install aispine again.")


def flow(name: str) -> Path:
    """The file of the sample flow of this name. Raises `NotFound` when this installation has none."""
    for folder in _folders():
        if (folder / f"{name}.yaml").is_file():
            return folder / f"{name}.yaml"
    raise NotFound(f"the sample flow {name} is missing from this installation", hint="Install aispine again.")


def _folders() -> tuple[Path, Path]:
    """Beside the packages in a checkout, else where the wheel puts its data."""
    return Path(aispine.__file__).parent.parent / FOLDER, Path(sys.prefix) / "share" / "aispine" / FOLDER
