"""The audit of calls: who called what, how long it took, what came of it, and what it cost.

Calls are noted in memory and written together a moment later, on a thread of their own: a call waits for nothing. A
process that is killed takes what it noted in the last second with it; the log of the execution still has the attempt.
"""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Final, Literal

from aispine import logs
from aispine.errors import StoreUnavailable
from aispine.store import calls
from aispine.store.database import Store
from aispine.store.ids import id_at

_log = logs.get(__name__)
MOST: Final = 50_000
"""Calls that a process keeps while the store is away; then the oldest go."""
_BATCH: Final = 1_000
SUCCESS: Final = "success"
ACCEPTED: Final = "accepted"
Kind = Literal["agent", "tool", "model"]
KINDS: Final = ("agent", "tool", "model")


@dataclass(frozen=True, kw_only=True, slots=True)
class Caller:
    """Who calls: a worker for a node's attempt, or the bearer of a key (`key:NAME`) without an execution."""

    tenant_id: str
    name: str
    execution_id: str | None = None
    path: str | None = None
    attempt: int | None = None


@dataclass(frozen=True, kw_only=True, slots=True)
class Callee:
    """What is called; tools and models have no version."""

    kind: Kind
    name: str
    version: str | None = None


@dataclass(frozen=True, kw_only=True, slots=True)
class Report:
    """What came of a call: `success`, `accepted` or the code of a failure; sizes in bytes.

    `tokens` and `cost_usd` where somebody tells them.
    """

    outcome: str
    begun: float
    """Seconds since 1970."""
    seconds: float
    host: str | None = None
    cached: bool = False
    input_bytes: int = 0
    output_bytes: int = 0
    tokens: int | None = None
    cost_usd: float | None = None


Line = tuple[Caller, Callee, Report]


class Journal:
    """Writes what was noted `every` seconds while there is something; without a store it keeps nothing.

    `tenant_id` is for a login that sees one tenant only; `missed` is told how many calls were given up.
    """

    def __init__(
        self,
        store: Store | None = None,
        *,
        every: float = 1.0,
        most: int = MOST,
        tenant_id: str | None = None,
        missed: Callable[[int], None] = lambda _count: None,
    ) -> None:
        self._store = store
        self._every: Final = every
        self._tenant_id = tenant_id
        self._missed = missed
        self._noted: deque[Line] = deque(maxlen=most)
        self._lock = threading.Lock()
        self._writing = threading.Lock()
        self._expected = False

    def note(self, caller: Caller, callee: Callee, report: Report) -> None:
        """Notes a call that has ended."""
        if self._store is None:
            return
        with self._lock:
            full = len(self._noted) == self._noted.maxlen
            self._noted.append((caller, callee, report))
            expected, self._expected = self._expected, True
        if full:
            self._missed(1)
        if not expected:
            timer = threading.Timer(self._every, self.flush)
            timer.daemon = True
            timer.start()

    def flush(self) -> None:
        """Writes what was noted since; what cannot be written now is kept for the next time."""
        with self._writing:
            self._expected = False
            while batch := self._batch():
                if not self._wrote(batch):
                    return

    def _batch(self) -> list[Line]:
        with self._lock:
            return [self._noted.popleft() for _ in range(min(len(self._noted), _BATCH))]

    def _wrote(self, batch: list[Line]) -> bool:
        try:
            calls.add(self._stored, [_row(*each) for each in batch], tenant_id=self._tenant_id)
        except StoreUnavailable as error:
            _log.warning("audit.not_stored", error=str(error), calls=len(batch))
            with self._lock:
                room = (self._noted.maxlen or 0) - len(self._noted)
                kept = batch[len(batch) - min(room, len(batch)) :]
                self._noted.extendleft(reversed(kept))
            if len(kept) < len(batch):
                self._missed(len(batch) - len(kept))
            return False
        return True

    @property
    def _stored(self) -> Store:
        assert self._store is not None  # noqa: S101 - nothing is noted without one
        return self._store


def _row(caller: Caller, callee: Callee, report: Report) -> dict[str, Any]:
    return {
        "tenant_id": caller.tenant_id,
        "call_id": id_at(report.begun),
        "kind": callee.kind,
        "callee": callee.name,
        "version": callee.version,
        "host": report.host,
        "caller": caller.name,
        "execution_id": caller.execution_id,
        "path": caller.path,
        "attempt": caller.attempt,
        "begun_at": datetime.fromtimestamp(report.begun, UTC).isoformat(),
        "seconds": round(report.seconds, 6),
        "outcome": report.outcome,
        "cached": report.cached,
        "input_bytes": report.input_bytes,
        "output_bytes": report.output_bytes,
        "tokens": report.tokens,
        "cost_usd": report.cost_usd,
    }
