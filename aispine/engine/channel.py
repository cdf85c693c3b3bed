"""Redis as the broker, with one client for whatever a channel sends.

Kombu makes a client for every message that is sent, taken or acknowledged, which costs more than sending it: the client
is made once here, and again when the connections below it were given up, as after a fork.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from kombu.transport import redis


class Channel(redis.Channel):
    """A channel that keeps its client."""

    _kept: Any = None

    @contextmanager
    def conn_or_acquire(self, client: Any = None) -> Iterator[Any]:
        """Yields the client that is given, else the channel's own."""
        yield client or self._own()

    def _own(self) -> Any:
        if self._kept is None or self._kept.connection_pool is not self.pool:
            self._kept = self._create_client()  # type: ignore[no-untyped-call]  # Kombu has few types.
        return self._kept


class Transport(redis.Transport):
    """Kombu's transport with such channels."""

    Channel = Channel
