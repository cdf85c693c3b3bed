"""Wake-ups: a word over Redis that an execution has new events. Losing one costs seconds, never an event."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterable
from typing import Any, Final

import redis
from redis.client import PubSub

from aispine import logs

CHANNEL: Final = "aispine:events"
POLL_WITH_REDIS: Final = 5.0
POLL_WITHOUT_REDIS: Final = 1.0
_SLICE: Final = 1.0
_LONGEST_BACKOFF: Final = 10.0

_log = logs.get(__name__)


def encode(execution_ids: Iterable[str]) -> str:
    """The message that wakes the followers of these executions."""
    return " ".join(execution_ids)


def decode(message: bytes) -> list[str]:
    return message.decode("utf-8", "replace").split()


class Wakeups:
    """Fans the channel out to the followers of this process, over one connection and one thread.

    The thread lives while somebody follows something. Without Redis the followers look into the store by themselves.
    """

    def __init__(self, redis_url: str | None) -> None:
        self._redis_url = redis_url
        self._lock = threading.Lock()
        self._followers: dict[str, dict[int, Callable[[], None]]] = {}
        self._thread: threading.Thread | None = None
        self._connected = False

    @property
    def pause(self) -> float:
        """Seconds after which a follower looks into the store without having been woken."""
        return POLL_WITH_REDIS if self._connected else POLL_WITHOUT_REDIS

    def add(self, execution_id: str, follower: object, wake: Callable[[], None]) -> None:
        """Calls `wake` whenever the execution has new events, until the follower is removed."""
        with self._lock:
            self._followers.setdefault(execution_id, {})[id(follower)] = wake
            if self._thread is None and self._redis_url is not None:
                self._thread = threading.Thread(target=self._run, name="event-wakeups", daemon=True)
                self._thread.start()

    def remove(self, execution_id: str, follower: object) -> None:
        with self._lock:
            followers = self._followers.get(execution_id, {})
            followers.pop(id(follower), None)
            if not followers:
                self._followers.pop(execution_id, None)

    def _run(self) -> None:
        backoff = 0.1
        while self._needed():
            try:
                self._listen()
                backoff = 0.1
            except (redis.RedisError, OSError) as error:
                _log.warning("events.wakeups_lost", error=str(error), retry_seconds=backoff)
                time.sleep(backoff)
                backoff = min(backoff * 2, _LONGEST_BACKOFF)
            finally:
                self._connected = False

    def _needed(self) -> bool:
        """Whether the thread goes on; deciding and forgetting it is one step, so that `add` starts another in time."""
        with self._lock:
            if self._followers:
                return True
            self._thread = None
            return False

    def _listen(self) -> None:
        client = redis.Redis.from_url(
            str(self._redis_url), socket_connect_timeout=5, socket_keepalive=True, health_check_interval=10
        )
        with client, PubSub(client.connection_pool, ignore_subscribe_messages=True) as channel:
            channel.subscribe(CHANNEL)
            channel.get_message(timeout=5)
            self._connected = True
            self._wake(None)
            while self._followers:
                self._receive(channel.get_message(timeout=_SLICE))

    def _receive(self, message: dict[str, Any] | None) -> None:
        if message is not None and message["type"] == "message":
            self._wake(decode(message["data"]))

    def _wake(self, execution_ids: Iterable[str] | None) -> None:
        """Wakes the followers of these executions; None wakes all, for what was said while nobody listened."""
        with self._lock:
            keys = list(self._followers) if execution_ids is None else execution_ids
            woken = [wake for key in keys for wake in self._followers.get(key, {}).values()]
        for wake in woken:
            wake()
