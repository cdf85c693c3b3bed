"""PostgreSQL itself keeps tenants apart: what the web's login may see and write."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest
from sqlalchemy import create_engine, inspect, select, text
from sqlalchemy.exc import ProgrammingError
from sqlalchemy.orm import Session

from aispine.engine.advance import advance
from aispine.engine.facts import Started
from aispine.engine.terms import Terms
from aispine.store import api_keys, channel_messages, channels, conversations, outbox, questions, schedules, workers
from aispine.store.database import Store
from aispine.store.ids import new_id
from aispine.store.models import (
    PLATFORM,
    PLATFORM_ONLY,
    SHARED,
    AgentHealthRow,
    AgentMetricRow,
    AgentVersionRow,
    Base,
    CachedAnswerRow,
    CallRow,
    CallSlotRow,
    ChannelRow,
    ContactRow,
    ErasureRow,
    ExecutionRow,
    FileChunkRow,
    FileRow,
    HostListsRow,
    IdempotencyKeyRow,
    NodeLogRow,
    ScheduleRow,
    SecretRow,
    SignalRow,
    Tenant,
    ToolRow,
)
from aispine.store.workers import Presence
from tests.support.environment import Servers
from tests.support.flows import Flows
from tests.support.shapes import echo, flow

TABLES = sorted(Base.metadata.tables)
TENANTS = sorted(set(TABLES) - PLATFORM_ONLY)


@pytest.fixture
def filled(no_workers: None, engine_store: Store, flows: Flows, api_key: str) -> str:
    """A tenant with a row in every table that is its own; the agents are the platform's."""
    execution_id = flows.start(flows.deploy(flow("mine", echo("a"), schedule={"every": "1h"})), announce=False)
    advance(engine_store, execution_id, [Started()], Terms(owner="test:1:1"))
    tenant_id = flows.tenant_id
    with engine_store.session(None) as session:
        session.add(NodeLogRow(execution_id=execution_id, path="a", attempt=1, tenant_id=tenant_id, text="said"))
        key = {"method": "POST", "path": "/", "key": new_id(), "request_hash": "x"}
        session.add(IdempotencyKeyRow(tenant_id=tenant_id, **key))
        file = FileRow(file_id=new_id(), tenant_id=tenant_id, name="a", media_type="text/plain", size=1, sha256="x")
        file.storage = "postgresql"
        session.add(file)
        session.flush()
        session.add(FileChunkRow(file_id=file.file_id, tenant_id=tenant_id, number=0, content=b"a"))
        _talk(session, tenant_id)
        session.add(ErasureRow(erasure_id=new_id(), tenant_id=tenant_id, fingerprints=["x"], erased_by="a", counts={}))
        session.add(SecretRow(tenant_id=tenant_id, name="key", ciphertext="x"))
        session.add(SignalRow(signal_id=new_id(), execution_id=execution_id, tenant_id=tenant_id, name="go"))
        session.add(_call(tenant_id))
        cached = CachedAnswerRow(tenant_id=tenant_id, key="k", execution_id=execution_id, output=1, metadata_={})
        cached.expires_at = datetime.now(UTC)
        session.add(cached)
        session.add(_slot(tenant_id, execution_id))
        session.add(HostListsRow(tenant_id=tenant_id))
        session.add(ToolRow(tenant_id=tenant_id, tool_id="mine", definition={"endpoint": "https://example.com"}))
        schedule = session.scalars(select(ScheduleRow).filter_by(tenant_id=tenant_id)).one()
        schedules.record(session, schedule, schedule.anchor_at, execution_id=execution_id, error=None)
        for table in ("agents", "agent_versions"):
            columns = [column.name for column in Base.metadata.tables[table].columns]
            copied = ", ".join(name for name in columns if name not in {"tenant_id", "agent_version_id"})
            session.execute(
                text(
                    f"INSERT INTO {table} (tenant_id, {copied}) SELECT '{tenant_id}', {copied} FROM {table} "
                    f"WHERE tenant_id = '{PLATFORM}' AND agent_id = 'echo'"
                )
            )
        version = session.scalars(select(AgentVersionRow).filter_by(tenant_id=tenant_id)).first()
        assert version is not None
        session.add(AgentHealthRow(agent_version_id=version.agent_version_id, tenant_id=tenant_id))
        figures = {"calls": 1, "seconds": 0.1, "slowest": 0.1, "buckets": [1]}
        day = datetime.now(UTC).date()
        metric = AgentMetricRow(tenant_id=tenant_id, agent_id="echo", version="1.0.0", day=day, outcome="success")
        for name, value in figures.items():
            setattr(metric, name, value)
        session.add(metric)
    return tenant_id


def _call(tenant_id: str) -> CallRow:
    sizes = {"input_bytes": 1, "output_bytes": 1}
    what = {"kind": "agent", "callee": "echo", "caller": "test:1:1", "outcome": "success", "cached": False}
    begun = {"begun_at": datetime.now(UTC), "seconds": 0.1}
    return CallRow(tenant_id=tenant_id, call_id=new_id(), **what, **sizes, **begun)


def _slot(tenant_id: str, execution_id: str) -> CallSlotRow:
    stands = {"tenant_id": tenant_id, "agent_id": "echo", "max_concurrency": 1, "limits": []}
    return CallSlotRow(execution_id=execution_id, path="a", attempt=1, **stands)


def _talk(session: Session, tenant_id: str) -> None:
    """A channel over which somebody wrote and was answered."""
    channel = ChannelRow(channel_id=new_id(), tenant_id=tenant_id, kind="telegram", name="a", address="1", staff=[])
    channel.credentials = "sealed"
    session.add(channel)
    session.flush()
    contact_id = channels.contact(session, channel, "7", wrote=True)
    contact = session.get_one(ContactRow, contact_id)
    channel_messages.add(session, channel, contact_id, message_id="1", kind="text", status="", body={})
    outbox.put(session, contact, {"text": "a"}, key=new_id())
    conversations.begin(session, contact, "mine", new_id())
    asked: dict[str, Any] = {"form": {}, "filled": {}, "options": {}}
    questions.put(session, contact, execution_id=new_id(), path="a", attempt=1, **asked)


@pytest.fixture
def other(engine_store: Store) -> str:
    tenant_id = f"t-{new_id()}"
    with engine_store.session(None) as session:
        session.add(Tenant(tenant_id=tenant_id, name="another"))
    return tenant_id


def _tenants(session: Session, table: str) -> set[str]:
    return set(session.scalars(text(f"SELECT tenant_id FROM {table}")))


def test_every_table_has_a_tenant_and_its_rows_are_guarded_even_from_its_owner(servers: Servers) -> None:
    engine = create_engine(servers.owner_url)
    with engine.connect() as connection:
        tables = set(inspect(connection).get_table_names()) - {"alembic_version"}
        assert tables == set(TABLES)
        guarded = connection.execute(
            text("SELECT relname FROM pg_class WHERE relrowsecurity AND relforcerowsecurity AND relkind = 'r'")
        ).scalars()
        assert set(guarded) == tables
    engine.dispose()
    assert all("tenant_id" in table.columns for table in Base.metadata.tables.values())


def test_neither_login_owns_anything_or_passes_the_policies(servers: Servers) -> None:
    engine = create_engine(servers.owner_url)
    with engine.connect() as connection:
        roles = connection.execute(
            text(
                "SELECT rolsuper, rolbypassrls, rolcreaterole, rolcreatedb, "
                "(SELECT count(*) FROM pg_class WHERE relowner = r.oid) FROM pg_roles r "
                "WHERE rolname LIKE 'aispine%'"
            )
        ).all()
    engine.dispose()
    assert [tuple(role) for role in roles] == [(False, False, False, False, 0)] * 2


@pytest.mark.parametrize("table", TENANTS)
def test_a_tenant_sees_its_rows_and_no_others(
    web_store: Store, engine_store: Store, filled: str, other: str, table: str
) -> None:
    shared = {PLATFORM} if table in SHARED else set()
    with web_store.session(filled) as session:
        assert _tenants(session, table) - shared == {filled}
    with web_store.session(other) as session:
        assert _tenants(session, table) - shared == ({other} if table == "tenants" else set())
    with engine_store.session(None) as session:
        assert filled in _tenants(session, table)


@pytest.mark.parametrize("table", TENANTS)
def test_without_a_tenant_nothing_of_a_tenant_is_seen(web_store: Store, filled: str, table: str) -> None:
    with web_store.session(filled) as session:
        assert _tenants(session, table)
    # The same connection again, on which a tenant was set before.
    for tenant_id in (None, ""):
        with web_store.session(tenant_id) as session:
            assert _tenants(session, table) <= ({PLATFORM} if table in SHARED else set())


def test_a_second_transaction_of_a_session_is_still_the_tenants(web_store: Store, filled: str) -> None:
    with web_store.session(filled) as session:
        for _ in range(3):
            assert _tenants(session, "executions") == {filled}
            session.commit()
        session.rollback()
        assert _tenants(session, "events") == {filled}


def test_a_tenant_cannot_write_for_another(web_store: Store, filled: str, other: str) -> None:
    with pytest.raises(ProgrammingError, match="row-level security"), web_store.session(other) as session:
        session.execute(
            text("INSERT INTO flows (tenant_id, flow_id, lookup_id, name) VALUES (:tenant, 'f', 'f', 'f')"),
            {"tenant": filled},
        )
    with web_store.session(other) as session:
        for table in ("executions", "node_executions", "flows", "events"):
            assert session.execute(text(f"UPDATE {table} SET tenant_id = '{other}'")).rowcount == 0  # type: ignore[attr-defined]  # SQLAlchemy types the general result.
            assert session.execute(text(f"DELETE FROM {table}")).rowcount == 0  # type: ignore[attr-defined]  # As above.
    with web_store.session(filled) as session:
        assert session.scalars(select(ExecutionRow)).one().tenant_id == filled


def test_a_tenant_cannot_give_its_rows_away_or_make_tenants(web_store: Store, filled: str, other: str) -> None:
    for statement in (
        f"UPDATE executions SET tenant_id = '{other}'",
        f"UPDATE agents SET tenant_id = '{PLATFORM}'",
        "INSERT INTO tenants (tenant_id, name) VALUES ('mine', 'mine')",
        "CREATE TABLE mine (x int)",
    ):
        with pytest.raises(ProgrammingError), web_store.session(filled) as session:
            session.execute(text(statement))


def test_what_is_the_platforms_can_be_read_and_not_changed(web_store: Store, filled: str) -> None:
    with web_store.session(filled) as session:
        assert PLATFORM in _tenants(session, "agents")
        changed = session.execute(text(f"UPDATE agents SET name = 'mine' WHERE tenant_id = '{PLATFORM}'"))
        assert changed.rowcount == 0  # type: ignore[attr-defined]  # SQLAlchemy types the general result.


def test_workers_are_seen_by_every_tenant_and_changed_by_none(
    web_store: Store, engine_store: Store, filled: str
) -> None:
    now = datetime.now(UTC)
    worker = Presence(
        worker_id=new_id(), name="io@here", host="here", pid=1, pool="io", queues=("io",), slots=1, started_at=now
    )
    workers.beat(engine_store, worker)
    with web_store.session(filled) as session:
        assert worker.worker_id in {row.worker_id for row in workers.rows(session)}
    for statement in (
        f"UPDATE workers SET busy = 1 WHERE worker_id = '{worker.worker_id}'",
        f"DELETE FROM workers WHERE worker_id = '{worker.worker_id}'",
        "INSERT INTO counters (name, labels, tenant_id, value, updated_at) VALUES ('x', '', 'mine', 1, now())",
        "DELETE FROM counters",
    ):
        with pytest.raises(ProgrammingError), web_store.session(filled) as session:
            session.execute(text(statement))
    workers.leave(engine_store, worker.worker_id)


def test_a_key_finds_its_own_row_before_a_tenant_is_known(web_store: Store, filled: str, api_key: str) -> None:
    with web_store.session(None) as session:
        found = api_keys.find(session, api_key)
        assert found is not None
        assert found.tenant_id == filled
        assert api_keys.find(session, "sk_unknown") is None
        assert session.scalar(text("SELECT count(*) FROM api_keys")) == 0
    known = api_keys.known(web_store, api_key)
    assert known is not None
    assert (known.tenant_id, known.api_key_id) == (filled, found.api_key_id)
    assert api_keys.known(web_store, "sk_unknown") is None
    with web_store.session(None) as session:
        assert session.scalar(text("SELECT count(*) FROM api_keys")) == 0
