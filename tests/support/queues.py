"""The broker's queues, whichever broker it is: how much is in them, and losing it."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from aispine.engine import broker
from aispine.store import due
from aispine.store.database import Store
from tests.support.environment import Servers


class BrokerQueues:
    """What waits in them, asked as any broker can be."""

    def __init__(self, servers: Servers, store: Store, channel: Any) -> None:
        self._servers = servers
        self._store = store
        self._channel = channel

    def waiting(self, queue: str) -> int:
        # Asked by declaring it: to Redis an empty queue is one that is not there.
        return int(broker.app().amqp.queues[queue](self._channel).queue_declare().message_count)

    def lose(self, queue: str) -> None:
        # One by one: SQS lets a queue be purged once a minute.
        while self._channel.basic_get(queue, no_ack=True) is not None:
            pass

    def let_time_pass(self, execution_id: str) -> None:
        """Ten minutes for what is queued in an execution: only after these are the messages of some brokers missed."""
        if self._servers.broker_url is not None:
            due.hasten_execution(self._store, execution_id)


@contextmanager
def connected(servers: Servers, store: Store) -> Iterator[BrokerQueues]:
    """What the broker holds, over a connection that is closed at the end."""
    with broker.app().connection_for_write() as connection:
        yield BrokerQueues(servers, store, connection.default_channel)
