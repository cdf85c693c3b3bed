"""Agents in folders, registered as they come and change while the stack runs."""

from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path
from typing import Final

from aispine import logs
from aispine.agent import folder, registry
from aispine.store.database import Store

SECONDS: Final = 2.0
"""How often the folders are looked at; a look costs a `stat` per agent."""

_log = logs.get(__name__)


class FolderWatch:
    """Registers the agents under `paths` again whenever a definition there has changed.

    Needs a store with the engine's login.
    """

    def __init__(self, store: Store, paths: tuple[Path, ...], *, clock: Callable[[], float] = time.monotonic) -> None:
        self._store = store
        self._paths = paths
        self._clock = clock
        self._seen: frozenset[tuple[str, int, int]] = frozenset()
        self._due = clock()

    def look(self) -> None:
        """Looks when it is time to. Raises `StoreUnavailable`; then the next look does what this one could not."""
        if self._clock() < self._due:
            return
        self._due = self._clock() + SECONDS
        found = folder.fingerprint(self._paths)
        if found == self._seen:
            return
        with self._store.session(None) as session:
            synced = registry.sync_folders(session, self._paths)
        self._seen = found
        _tell(synced)


def _tell(synced: registry.Synced) -> None:
    for name in (*synced.added, *synced.updated):
        _log.info("agent.registered", agent=name)
    for problem in synced.problems:
        _log.warning("agent.invalid", problem=problem.message)
