"""A small disk of its own for a stack, so that it can be filled up."""

from __future__ import annotations

import contextlib
import errno
import os
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Final

_MEGABYTES: Final = 400
_FILLER: Final = "filler"
_BLOCK: Final = bytes(65_536)


@contextlib.contextmanager
def mounted(place: Path, *, wanted: bool) -> Iterator[bool]:
    """Makes a folder on a file system in memory; yields False where that is not wanted or not allowed."""
    if not wanted:
        yield False
        return
    place.mkdir()
    place.chmod(0o711)
    command = ["mount", "-t", "tmpfs", "-o", f"size={_MEGABYTES}m,mode=711", "none", str(place)]
    done = subprocess.run(command, capture_output=True, check=False).returncode == 0
    try:
        yield done
    finally:
        if done:
            subprocess.run(["umount", "--lazy", str(place)], check=True)


@contextlib.contextmanager
def full(place: Path) -> Iterator[None]:
    """Leaves no byte free while the block runs."""
    filler = place / _FILLER
    try:
        with filler.open("wb", buffering=0) as file, contextlib.suppress(_NoSpaceError):
            while True:
                _write(file.fileno())
        yield
    finally:
        filler.unlink()


class _NoSpaceError(Exception):
    """The disk is full, as it should be."""


def _write(descriptor: int) -> None:
    try:
        os.write(descriptor, _BLOCK)
    except OSError as error:
        if error.errno != errno.ENOSPC:
            raise
        raise _NoSpaceError from error
