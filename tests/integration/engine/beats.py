"""Beats that tick when a test says so, and the broker's queues that they send into."""

from __future__ import annotations

import base64
import json
import time
from collections import Counter
from collections.abc import Sequence
from datetime import timedelta

import redis
from sqlalchemy import update

from aispine.engine import broker
from aispine.engine.dispatch import Dispatch
from aispine.engine.queues import Queues
from aispine.engine.recover import Tick
from aispine.engine.terms import Terms
from aispine.store.database import Store
from aispine.store.models import NodeExecutionRow
from tests.integration.engine.crew import together
from tests.support.environment import Servers
from tests.support.messages import KEYS

GONE = Terms(owner="gone:1:1", lease=0.0)
"""A process that is dead by the time anybody looks."""


class Silence:
    """Nobody follows these executions."""

    def wake(self, execution_id: str, *, at_once: bool = False) -> None:
        """Wakes nobody."""


class Messages:
    """The broker's queues, of which a test counts the messages of its own executions."""

    def __init__(self, client: redis.Redis) -> None:
        self.client = client

    def of(self, execution_id: str, *lists: str) -> Counter[str]:
        """How many messages each path has, in those lists or in all."""
        return Counter({path: count for (found, path), count in self.all(*lists).items() if found == execution_id})

    def all(self, *lists: str) -> Counter[tuple[str, str]]:
        """How many messages each path of each execution has."""
        raw = [item for key in lists or KEYS for item in self.client.lrange(key, 0, -1)]
        arguments = [json.loads(base64.b64decode(json.loads(item)["body"]))[0] for item in raw]
        named = [(found, [path] if isinstance(path, str) else path) for found, path in arguments]
        return Counter((found, path) for found, places in named for path in places)

    def take(self, queue: str) -> tuple[str, str]:
        """Takes the message of one node that has waited longest."""
        with broker.app().connection_for_read() as connection:
            message = broker.app().amqp.queues[queue](connection.default_channel).get(no_ack=True)
        execution_id, path = message.payload[0]
        return str(execution_id), str(path)

    def stuff(self, queue: str) -> None:
        """Puts a message of nobody's into a queue, so that it is not empty."""
        self.client.lpush(queue, json.dumps({"body": base64.b64encode(b'[["other", ""]]').decode()}))

    def lose(self) -> None:
        self.client.delete(*KEYS, "unacked", "unacked_index")


def beat(store: Store, servers: Servers) -> Tick:
    dispatch = Dispatch(store=store, celery=broker.app(), wakeups=Silence())
    terms, queues = Terms(owner="beat:1:1"), Queues(servers.redis_url)
    return Tick(store=store, celery=broker.app(), terms=terms, dispatch=dispatch, queues=queues)


def recover(ticks: Sequence[Tick]) -> list[int]:
    """All beats tick at the same instant; returns how many executions each could not help."""
    for tick in ticks:
        # They have ticked all the while: however slow this machine is, no outage has ended a lease.
        tick.looked_at = time.monotonic()
    return together(*[tick.recover for tick in ticks])


def pass_time(store: Store, *execution_ids: str, seconds: float) -> None:
    """Makes what is queued so much older than it is."""
    ago = NodeExecutionRow.queued_at - timedelta(seconds=seconds), NodeExecutionRow.due_at - timedelta(seconds=seconds)
    queued = NodeExecutionRow.execution_id.in_(execution_ids), NodeExecutionRow.status == "queued"
    with store.session(None) as session:
        session.execute(update(NodeExecutionRow).where(*queued).values(queued_at=ago[0], due_at=ago[1]))
