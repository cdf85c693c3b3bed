"""Restarting a running stack, one process after the other."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Final

from aispine.errors import StackError
from aispine.stack import home, ledger
from aispine.stack.process import wait_until
from aispine.stack.signals import RESTART
from aispine.store import migrate

_SERVERS: Final = frozenset({"postgres", "redis"})
_SECONDS_EACH: Final = 45.0
"""Longer than a worker may take to finish what it runs."""


def restart(folder: Path, owner_url: str | None) -> list[str]:
    """Has the `up` of a home replace its programs, and waits until it has; returns their names.

    `owner_url` is that of its database; None where it is not known.
    Raises `StackError` when none runs there, the database is behind this version, or it takes too long.
    """
    up = _pid(folder)
    if owner_url is not None and migrate.pending(owner_url):
        raise StackError(
            "the database is behind this version, whose processes could not use it",
            hint="Bring it up to date with `aispine db migrate`, then restart.",
        )
    before = _running(folder)
    os.kill(up, RESTART)

    def over() -> bool:
        now = {entry.name: entry.pid for entry in _running(folder)}
        return all(now.get(entry.name) not in {None, entry.pid} and not entry.alive for entry in before)

    if not wait_until(over, _SECONDS_EACH * len(before)):
        raise StackError("the restart takes too long", hint="The output of `aispine up` tells what it waits for.")
    return [entry.name for entry in before]


def _pid(folder: Path) -> int:
    if not home.held(folder):
        raise StackError(f"no stack runs in {folder}", hint="Start one with `aispine up`, or set AISPINE_HOME.")
    return int(json.loads((folder / home.LOCK_FILE).read_text("utf-8"))["pid"])


def _running(folder: Path) -> list[ledger.Entry]:
    return [entry for entry in ledger.entries(folder) if entry.name not in _SERVERS]
