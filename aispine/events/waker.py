"""Waking the followers of executions: gathered and sent by a thread, so that no node waits for Redis."""

from __future__ import annotations

import threading
from typing import Final

import redis

from aispine import logs
from aispine.events.wakeups import CHANNEL, encode

_log = logs.get(__name__)
_GATHER: Final = 0.02
"""Seconds for which wake-ups are gathered: short for an eye, long for a node."""


class Waker:
    """Says over Redis which executions have new events; what it cannot say is noticed a second later anyway."""

    def __init__(self, redis_url: str) -> None:
        self._redis = redis.Redis.from_url(redis_url, socket_timeout=5, socket_connect_timeout=2)
        self._changed: set[str] = set()
        self._lock = threading.Lock()
        self._waiting = threading.Event()
        self._hurry = threading.Event()
        self._thread: threading.Thread | None = None

    def wake(self, execution_id: str, *, at_once: bool = False) -> None:
        """Notes that the execution has new events; `at_once` for its last one, for which somebody may wait."""
        with self._lock:
            self._changed.add(execution_id)
            if self._thread is None:
                self._thread = threading.Thread(target=self._send_for_ever, name="waker", daemon=True)
                self._thread.start()
        if at_once:
            self._hurry.set()
        self._waiting.set()

    def _send_for_ever(self) -> None:
        while True:
            self._waiting.wait()
            self._hurry.wait(_GATHER)
            self._hurry.clear()
            self._waiting.clear()
            with self._lock:
                changed, self._changed = self._changed, set()
            try:
                self._redis.publish(CHANNEL, encode(sorted(changed)))
            except redis.RedisError as error:
                _log.warning("events.not_woken", error=str(error))
