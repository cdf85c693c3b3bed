"""While PostgreSQL is away nobody gives anything up."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from sqlalchemy import create_engine, make_url, text
from sqlalchemy.pool import NullPool

from aispine.agent.contract import AgentReply
from aispine.engine import advance, broker, patience, run
from aispine.engine.dispatch import Dispatch
from aispine.engine.patience import patiently
from aispine.engine.queues import Queues
from aispine.engine.recover import Tick
from aispine.engine.terms import Terms
from aispine.errors import StoreUnavailable
from aispine.store import database, leases
from aispine.store.database import Store
from aispine.store.models import NodeExecutionRow
from tests.integration.engine.crew import TERMS, begin, fact, finish, take
from tests.integration.engine.desk import NoCanvas, worker
from tests.support.disk import full_disk
from tests.support.environment import Servers
from tests.support.flows import Flows
from tests.support.operations import Silence
from tests.support.shapes import fan, line

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


def test_the_result_of_a_node_waits_for_room_on_the_disk(
    store: Store, servers: Servers, flows: Flows, monkeypatch: pytest.MonkeyPatch
) -> None:
    execution_id = flows.start(flows.deploy(line("cramped", "ab")), announce=False)
    begin(store, execution_id)
    held = take(store, execution_id, "a")
    told = fact(held, AgentReply(output={}))
    with full_disk(servers.owner_url, flows.tenant_id) as free:
        with pytest.raises(StoreUnavailable, match="no room on its disk"):
            finish(store, held, told, TERMS)
        monkeypatch.setattr(patience._log, "warning", lambda *_args, **_values: free())
        patiently(finish, store, held, told, TERMS)
    assert flows.see(execution_id).nodes["a"].status == "completed"


def test_a_server_that_takes_no_changes_is_waited_for(store: Store, servers: Servers) -> None:
    standby = Store(servers.engine_url, options="-c default_transaction_read_only=on")
    with pytest.raises(StoreUnavailable, match="takes no changes"):
        leases.spare(standby, 1.0)
    standby.dispose()


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


def test_what_follows_a_result_whose_record_was_not_confirmed_is_sent(
    store: Store, flows: Flows, settings_env: Servers, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The connection breaks after PostgreSQL has committed and before it could say so."""
    execution_id = flows.start(flows.deploy(fan("unconfirmed", 1, pool="cpu")), announce=False)
    begin(store, execution_id)
    write, written = advance.write, []

    def unconfirmed_once(*arguments: Any) -> bool:
        written.append(write(*arguments))
        if len(written) == 1:
            raise StoreUnavailable
        return written[-1]

    monkeypatch.setattr(advance, "write", unconfirmed_once)
    run.run(worker(store), execution_id, "b0", NoCanvas())
    assert written == [True, False]
    with store.session(None) as session:
        row = session.get_one(NodeExecutionRow, (execution_id, "join"))
        assert (row.status, row.attempt) == ("queued", 0)
        assert row.due_at is not None
        assert row.due_at <= datetime.now(UTC) + timedelta(seconds=1)
