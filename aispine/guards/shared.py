"""What all processes share over Redis: scripts that are atomic, and answers that do without when Redis is away."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Sequence
from typing import Any, Final

import redis
from redis.commands.core import Script

from aispine import logs

_log = logs.get(__name__)
_PATIENCE: Final = 0.5
"""Seconds that a call waits for Redis; whoever asks would rather go without."""
_AGAIN: Final = 1.0
"""Seconds for which Redis is not asked after it did not answer."""


class Shared:
    """Runs scripts in Redis. It fails open: None stands for an answer that did not come, and `missed` is told."""

    def __init__(self, redis_url: str | None, *, missed: Callable[[], None] = lambda: None) -> None:
        self._redis: Any = None
        if redis_url is not None:
            self._redis = redis.Redis.from_url(
                redis_url, socket_timeout=_PATIENCE, socket_connect_timeout=_PATIENCE, decode_responses=True
            )
        self._missed = missed
        self._scripts: dict[str, Script] = {}
        self._lock = threading.Lock()
        self._away_until = 0.0

    def run(self, script: str, keys: Sequence[str], *arguments: Any) -> Any:
        """What the script returns; None while Redis is away."""
        if self._redis is None or time.monotonic() < self._away_until:
            self._missed()
            return None
        try:
            return self._script(script)(keys=list(keys), args=list(arguments))
        except redis.RedisError as error:
            self._away_until = time.monotonic() + _AGAIN
            self._missed()
            _log.warning("guards.redis_away", error=str(error))
            return None

    def _script(self, source: str) -> Script:
        with self._lock:
            if source not in self._scripts:
                self._scripts[source] = self._redis.register_script(source)
            return self._scripts[source]
