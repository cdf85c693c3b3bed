"""What the broker holds, as far as it can be told: whether it is the one it was, and whether it is empty."""

from __future__ import annotations

import secrets
import time
from collections.abc import Mapping
from typing import Final

import redis
from kombu.transport.redis import Channel

from aispine.engine.broker import QUEUES
from aispine.engine.transport import AHEAD, NORMAL

EPOCH: Final = "aispine:epoch"
_TAKEN: Final = "unacked_index"
"""The sorted set in which kombu keeps when each message was taken that is not acknowledged."""
_RECENT: Final = 5.0
"""Seconds after which a taken message is either of a node that runs, or of a worker that was killed with it."""


def keys(queue: str) -> tuple[str, ...]:
    """The lists in Redis that make up a queue, what goes ahead first."""
    return tuple(f"{queue}{Channel.sep}{priority}" if priority else queue for priority in (AHEAD, NORMAL))


class Queues:
    """The queues in Redis. With another broker nothing is known, and only the slow fallback sends again."""

    def __init__(self, broker_url: str) -> None:
        self._redis = redis.Redis.from_url(broker_url, socket_timeout=5) if broker_url.startswith("redis") else None
        self._epoch: bytes | None = None

    def renewed(self) -> float | None:
        """Once after Redis was emptied or replaced: how many seconds ago that was first noticed; otherwise None.

        While it does not answer nothing is known.
        """
        if self._redis is None:
            return None
        try:
            fresh = self._redis.set(EPOCH, f"{time.time():.3f} {secrets.token_hex(8)}", nx=True)
            before, self._epoch = self._epoch, self._redis.get(EPOCH)  # type: ignore[assignment] # redis-py types sync and async in one
        except redis.RedisError:
            return None
        if fresh:
            return 0.0
        return _age(self._epoch) if before is not None and before != self._epoch else None

    def lengths(self) -> Mapping[str, int]:
        """How many messages wait in each queue; nothing while that cannot be told."""
        if self._redis is None:
            return {}
        pipe = self._redis.pipeline(transaction=False)
        for queue in QUEUES:
            for key in keys(queue):
                pipe.llen(key)
        try:
            found = iter(pipe.execute())
            return {queue: sum(next(found) for _ in keys(queue)) for queue in QUEUES}
        except redis.RedisError:
            return {}

    def empty(self) -> bool:
        """True when no message waits and none has just been taken.

        What a killed worker had taken stays taken for an hour and says nothing about the messages of queued nodes.
        """
        if self._redis is None:
            return False
        pipe = self._redis.pipeline(transaction=False)
        for queue in QUEUES:
            pipe.exists(*keys(queue))
        pipe.zcount(_TAKEN, time.time() - _RECENT, "+inf")
        try:
            return not any(pipe.execute())
        except redis.RedisError:
            return False


def _age(epoch: bytes | None) -> float:
    """Seconds since an epoch began; none for one that does not say."""
    began, _, _ = (epoch or b"").partition(b" ")
    try:
        return max(0.0, time.time() - float(began))
    except ValueError:
        return 0.0
