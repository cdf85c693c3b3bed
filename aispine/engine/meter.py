"""Counts what a process does and adds it to the platform's counters every few seconds."""

from __future__ import annotations

import threading
from typing import Final

from aispine import logs
from aispine.engine import metrics
from aispine.engine.agent_calls import CallTally, Version, outcome_of
from aispine.engine.metrics import Tally
from aispine.errors import StoreUnavailable
from aispine.flow.outcome import Ended
from aispine.flow.state import NodeState, Transition
from aispine.store import agent_metrics, counters
from aispine.store.agent_metrics import Calls
from aispine.store.counters import Key
from aispine.store.database import Store

_log = logs.get(__name__)


class Meter:
    """What was counted goes to the store `every` seconds while there is something; without a store it stays here.

    `bound` says that the store's login sees one tenant at a time. A process that is killed takes what it counted in the
    last seconds with it.
    """

    def __init__(self, store: Store | None = None, *, every: float = 3.0, bound: bool = False) -> None:
        self._store = store
        self._bound = bound
        self._every: Final = every
        self._lock = threading.Lock()
        self._tally = Tally()
        self._calls = CallTally()
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

    def called(self, version: Version, outcome: Ended, seconds: float) -> None:
        """Counts a call of an agent."""
        self.counted(version, outcome_of(outcome), seconds)

    def counted(self, version: Version, outcome: str, seconds: float) -> None:
        """The same, of an outcome by its name."""
        with self._lock:
            self._calls.add(version, outcome, seconds)
        self._expect()

    def flush(self) -> None:
        """Adds to the store what was counted since; what cannot be stored now is kept for the next time."""
        with self._lock:
            self._expected = False
            tally, self._tally = self._tally, Tally()
            owed, self._owed = self._owed, {}
            calls = self._calls.take()
        for key, value in tally.samples().items():
            owed[key] = owed.get(key, 0.0) + value
        if self._store is not None:
            self._put(self._store, owed, calls)

    def _put(self, store: Store, owed: dict[Key, float], calls: list[Calls]) -> None:
        try:
            if owed:
                counters.add(store, owed)
                owed = {}
            agent_metrics.add(store, calls, bound=self._bound)
        except StoreUnavailable as error:
            _log.warning("meter.not_stored", error=str(error))
            with self._lock:
                self._owed = owed
                self._calls.put_back(calls)

    def _add(self, *amounts: metrics.Amount) -> None:
        with self._lock:
            for name, of, value in amounts:
                self._tally.add(name, of, value)
        self._expect()

    def _expect(self) -> None:
        """Sees to it that what was counted is stored in a while."""
        with self._lock:
            expected, self._expected = self._expected, True
        if not expected and self._store is not None:
            timer = threading.Timer(self._every, self.flush)
            timer.daemon = True
            timer.start()
