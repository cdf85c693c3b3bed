"""Expired files go in a thread of their own: a storage that does not answer must delay nothing else."""

from __future__ import annotations

import math
import threading
import time
from typing import Final

from aispine import logs
from aispine.errors import AISpineError
from aispine.files import tenant_files
from aispine.settings import Settings
from aispine.store.database import Store

AGAIN: Final = 60.0
"""Seconds until the next look when there was nothing more."""
_BATCH: Final = 20

_log = logs.get(__name__)


class Sweep:
    """Removes what expired, now and then. Needs a store with the engine's login."""

    def __init__(self, store: Store, settings: Settings) -> None:
        self._store = store
        self._settings = settings
        self._look_at = -math.inf
        self._thread: threading.Thread | None = None

    def look(self) -> None:
        """Begins a round when it is time to; returns at once."""
        if time.monotonic() < self._look_at or (self._thread is not None and self._thread.is_alive()):
            return
        self._look_at = time.monotonic() + AGAIN
        self._thread = threading.Thread(target=self.round, name="file-sweep", daemon=True)
        self._thread.start()

    def round(self) -> int:
        """Removes all that expired; returns how many files went."""
        gone = 0
        try:
            while found := tenant_files.sweep(self._store, self._settings, limit=_BATCH):
                gone += found
        except AISpineError as error:
            _log.warning("file.sweep_failed", error=error.message)
        if gone:
            _log.info("file.swept", files=gone)
        return gone
