"""The messages that wait in the broker."""

from __future__ import annotations

from typing import Final

import redis

from aispine.engine.broker import QUEUES
from aispine.engine.queues import keys

KEYS: Final = tuple(key for queue in QUEUES for key in keys(queue))
"""The lists of every queue."""


def waiting(client: redis.Redis, queue: str) -> int:
    """How many messages a queue holds."""
    return sum(client.llen(key) for key in keys(queue))


def lose(client: redis.Redis, *queues: str) -> None:
    """Takes every message out of some queues."""
    client.delete(*(key for queue in queues for key in keys(queue)))
