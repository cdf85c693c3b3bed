"""While PostgreSQL is away nobody gives anything up."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager

import pytest
from sqlalchemy import create_engine, make_url, text
from sqlalchemy.pool import NullPool

from aispine.agent.contract import AgentReply
from aispine.engine import broker, patience
from aispine.engine.advance import finish
from aispine.engine.dispatch import Dispatch
from aispine.engine.patience import patiently
from aispine.engine.queues import Queues
from aispine.engine.recover import Tick
from aispine.engine.terms import Terms
from aispine.errors import StoreUnavailable
from aispine.store import database
from aispine.store.database import Store
from tests.integration.engine.crew import TERMS, begin, fact, take
from tests.support.environment import Servers
from tests.support.flows import Flows
from tests.support.operations import Silence
from tests.support.shapes import line

GONE = Terms(owner="gone:1:1", lease=0.0)


@contextmanager
def _shut(servers: Servers) -> Iterator[threading.Event]:
    """Lets the engine's login in no more and cuts its connections, until the event is set or the block is left."""
    login = make_url(servers.engine_url).username
    database.engine_store().dispose()  # The other connections of this process are not to be cut.
    owner = create_engine(servers.owner_url, poolclass=NullPool, isolation_level="AUTOCOMMIT")
    with owner.connect() as connection:
        connection.execute(text(f"ALTER ROLE {login} CONNECTION LIMIT 0"))
        connection.execute(
            text("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE usename = :name"), {"name": login}
        )

        def open_again() -> None:
            opened.wait(30)
            connection.execute(text(f"ALTER ROLE {login} CONNECTION LIMIT -1"))

        opened = threading.Event()
        opener = threading.Thread(target=open_again)
        opener.start()
        try:
            yield opened
        finally:
            opened.set()
            opener.join()


def test_the_result_of_a_node_waits_for_postgres(
    store: Store, servers: Servers, flows: Flows, monkeypatch: pytest.MonkeyPatch
) -> None:
    execution_id = flows.start(flows.deploy(line("waits", "ab")), announce=False)
    begin(store, execution_id)
    held = take(store, execution_id, "a")
    told = fact(held, AgentReply(output={}))
    with _shut(servers) as opened:
        with pytest.raises(StoreUnavailable):
            finish(store, held, told, TERMS)
        monkeypatch.setattr(patience._log, "warning", lambda *_args, **_values: opened.set())
        patiently(finish, store, held, told, TERMS)
    assert flows.see(execution_id).nodes["a"].status == "completed"


def test_an_outage_ends_no_lease(store: Store, servers: Servers, flows: Flows) -> None:
    dispatch = Dispatch(store=store, celery=broker.app(), wakeups=Silence())
    tick = Tick(
        store=store,
        celery=broker.app(),
        terms=Terms(owner="beat:1:1", lease=0.6),
        dispatch=dispatch,
        queues=Queues(servers.redis_url),
    )
    execution_id = flows.start(flows.deploy(line("spared", "ab")), announce=False)
    begin(store, execution_id)
    take(store, execution_id, "a", GONE)
    tick.looked_at -= tick.terms.lease  # As long as it could not look, nobody could renew.
    tick.recover()
    assert flows.see(execution_id).count("node.lost") == 0
    with store.session(None) as session:
        session.execute(
            text("UPDATE node_executions SET due_at = now() WHERE execution_id = :id"), {"id": execution_id}
        )
    tick.recover()
    assert flows.see(execution_id).count("node.lost") == 1
