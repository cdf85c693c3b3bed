"""Counts what a process does and adds it to the platform's counters every few seconds."""

from __future__ import annotations

import threading
from typing import Final

from aispine import logs
from aispine.engine import metrics
from aispine.engine.metrics import Tally
from aispine.errors import StoreUnavailable
from aispine.flow.state import NodeState, Transition
from aispine.store import counters
from aispine.store.counters import Key
from aispine.store.database import Store

_log = logs.get(__name__)


class Meter:
    """What was counted goes to the store `every` seconds while there is something; without a store it stays here.

    A process that is killed takes what it counted in the last seconds with it.
    """

    def __init__(self, store: Store | None = None, *, every: float = 3.0) -> None:
        self._store = store
        self._every: Final = every
        self._lock = threading.Lock()
        self._tally = Tally()
        self._owed: dict[Key, float] = {}
        self._expected = False

    def record(self, transition: Transition) -> None:
        """Counts what a transition says has happened."""
        found = tuple(metrics.amounts(transition))
        if found:
            self._add(*found)

    def begun(self, node: NodeState) -> None:
        """Counts an attempt that began by a claim."""
        self._add(*metrics.begun(node))

    def add(self, name: str, count: float) -> None:
        """Counts something that has no labels."""
        self._add((name, "", count))

    def flush(self) -> None:
        """Adds to the store what was counted since; what cannot be stored now is kept for the next time."""
        with self._lock:
            self._expected = False
            tally, self._tally = self._tally, Tally()
            owed, self._owed = self._owed, {}
        for key, value in tally.samples().items():
            owed[key] = owed.get(key, 0.0) + value
        if self._store is None or not owed:
            return
        try:
            counters.add(self._store, owed)
        except StoreUnavailable as error:
            _log.warning("meter.not_stored", error=str(error))
            with self._lock:
                self._owed = owed

    def _add(self, *amounts: metrics.Amount) -> None:
        with self._lock:
            for name, of, value in amounts:
                self._tally.add(name, of, value)
            expected, self._expected = self._expected, True
        if not expected and self._store is not None:
            timer = threading.Timer(self._every, self.flush)
            timer.daemon = True
            timer.start()
