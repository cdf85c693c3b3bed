"""Rounds: every active agent over HTTP is asked for its health now and then, in threads of their own."""

from __future__ import annotations

import threading
import time
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Final

from aispine import logs
from aispine.agent import record
from aispine.agent.contract import AgentFailure
from aispine.agent.definition import AgentVersion
from aispine.errors import AISpineError
from aispine.guards import fence
from aispine.settings import Settings
from aispine.store import agent_health
from aispine.store.database import Store
from aispine.store.models import AgentHealthRow

EVERY: Final = 30.0
"""Seconds between two checks of one agent."""
LOST: Final = 3
"""Checks in a row without an answer after which an agent counts as not ready; fewer may be a bad moment."""
_AT_ONCE: Final = 32
_BATCH: Final = 200

_log = logs.get(__name__)


Due = tuple[int, str, AgentVersion]
"""A version whose check is due: its number, its tenant, and what it is."""


class Rounds:
    """Checks what is due. Needs a store with the engine's login."""

    def __init__(self, store: Store, settings: Settings, *, every: float = EVERY) -> None:
        self._store = store
        self._settings = settings
        self._every = every
        self._look_at = 0.0
        self._thread: threading.Thread | None = None

    def look(self) -> None:
        """Begins a round about once a second; returns at once."""
        if time.monotonic() < self._look_at or (self._thread is not None and self._thread.is_alive()):
            return
        self._look_at = time.monotonic() + min(1.0, self._every)
        self._thread = threading.Thread(target=self._try_round, name="agent-rounds", daemon=True)
        self._thread.start()

    def _try_round(self) -> None:
        try:
            self.round()
        except AISpineError as error:
            _log.warning("agent.rounds_failed", error=error.message)

    def round(self) -> int:
        """Checks every agent that is due; returns how many there were."""
        with self._store.session(None) as session:
            agent_health.enrol(session, self._every)
            due = [
                (row.agent_version_id, row.tenant_id, record.value(row))
                for row in agent_health.claim(session, self._every, _BATCH)
            ]
        if due:
            self._check_all(due)
        return len(due)

    def _check_all(self, due: Sequence[Due]) -> None:
        with ThreadPoolExecutor(min(len(due), _AT_ONCE), thread_name_prefix="agent-check") as threads:
            for problem in threads.map(self._check, due):
                if problem is not None:
                    _log.warning("agent.not_ready", problem=problem)

    def _check(self, due: Due) -> str | None:
        from aispine.agent import http  # Here, since a stack without such agents need not hold it: 8 MB.

        version_id, tenant_id, agent = due
        begun = time.monotonic()
        with fence.around(self._store, tenant_id):
            found = http.health(agent, self._settings)
        ms = round((time.monotonic() - begun) * 1000)
        failed = isinstance(found, AgentFailure)
        ready = not isinstance(found, AgentFailure) and found.ready
        error = found.message if isinstance(found, AgentFailure) else None if ready else "the agent says so itself"
        with self._store.session(None) as session:
            agent_health.record(session, version_id, answered=not failed, ready=ready, error=error, ms=ms)
        return None if ready else f"{agent.agent_id}@{agent.version}: {error}"


def objection(row: AgentHealthRow | None) -> str | None:
    """Why an agent is not called; None when it may be."""
    if row is None or row.ready is not False or 0 < row.failures < LOST:
        return None
    return f"the agent is not ready: {row.error}"
