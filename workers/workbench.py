"""What the tasks of one worker process work with: made at first use after the fork, once."""

from __future__ import annotations

import functools
import importlib
import os
from typing import TYPE_CHECKING

from sqlalchemy.orm import configure_mappers

from aispine import settings
from aispine.agent import call as agent_call
from aispine.engine import broker
from aispine.engine.dispatch import Dispatch
from aispine.engine.lease import Leases
from aispine.engine.work import AgentCache, Worker
from aispine.guards.breaker import Breaker
from aispine.guards.turns import Turns
from aispine.store import database
from aispine.store.database import Store
from workers import process

if TYPE_CHECKING:
    from celery import Celery

    from aispine.agent.author import Conversation
    from aispine.agent.contract import AgentRequest
    from aispine.conversation.reading import Reader

POOL = 4
"""Connections of a process; hundreds of threads share them, since a node needs one only at its two ends."""


def prepare() -> None:
    """Loads what the first node would load, so that the processes of a pool share it."""
    importlib.import_module("aispine.conversation.desk")
    configure_mappers()


def worker() -> Worker:
    """What the tasks of this process work with."""
    return _worker(os.getpid())


@functools.lru_cache(maxsize=1)
def _worker(_pid: int) -> Worker:
    current = settings.current()
    store = database.engine_store(POOL)
    terms, meter = process.terms(), process.meter(store)
    shared = process.shared(meter)
    turns = Turns(shared)
    return Worker(
        store=store,
        settings=current,
        terms=terms,
        leases=_leases(terms.owner),
        dispatch=Dispatch(store=store, celery=broker.app(), wakeups=process.waker(), meter=meter, turns=turns),
        agents=AgentCache(),
        conversations=functools.partial(_conversation, store, broker.app()),
        breaker=Breaker(shared),
        journal=process.journal(store, meter),
    )


def _leases(owner: str) -> Leases:
    """Renews over a connection of its own: behind hundreds of threads that want one it would come too late."""
    current = settings.current()
    return Leases(
        database.engine_store(1), owner, lease=current.lease, heartbeat=current.heartbeat, let_go=agent_call.give_up
    )


def reader() -> Reader:
    """What the tasks of channels work with."""
    from aispine.conversation.reading import Reader

    own = worker()
    return Reader(store=own.store, celery=own.dispatch.celery, settings=own.settings, dispatch=own.dispatch)


def _conversation(store: Store, celery: Celery, request: AgentRequest) -> Conversation:
    from aispine.conversation.desk import Desk

    return Desk(store=store, celery=celery, request=request)
