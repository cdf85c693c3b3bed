"""What the doctor says of work that does not go on."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime

import pytest
from sqlalchemy import text

from aispine import settings
from aispine.engine.advance import advance
from aispine.engine.facts import Started
from aispine.engine.terms import Terms
from aispine.settings import Settings
from aispine.stack.doctor import Check, examine
from aispine.store import workers
from aispine.store.database import Store
from aispine.store.workers import Presence
from tests.support.environment import Servers
from tests.support.flows import Flows
from tests.support.shapes import echo, flow

POOLS = ("engine", "cpu", "io", "beat")


def presence(pool: str) -> Presence:
    queues = () if pool == "beat" else (pool,)
    began = datetime(2026, 1, 1, tzinfo=UTC)
    return Presence(
        worker_id=f"w3:{pool}", name=f"{pool}@w3", host="w3", pid=1, pool=pool, queues=queues, slots=2, started_at=began
    )


@pytest.fixture
def staffed(no_workers: None, settings_env: Servers, engine_store: Store) -> Iterator[Settings]:
    """The settings of a platform whose workers and beat have all just spoken."""
    with engine_store.session(None) as session:
        session.execute(text("DELETE FROM workers"))
    for pool in POOLS:
        workers.beat(engine_store, presence(pool))
    # What the doctor asks first takes longer than the quick heartbeats of the tests.
    yield replace(settings.current(), heartbeat=10.0)
    with engine_store.session(None) as session:
        session.execute(text("DELETE FROM workers"))


def look(found: Settings, name: str) -> Check:
    return next(check for check in examine(found, embedded=True) if check.name == name)


def silence(store: Store, name: str) -> None:
    with store.session(None) as session:
        statement = text("UPDATE workers SET heartbeat_at = now() - interval '1 minute' WHERE name = :name")
        session.execute(statement, {"name": name})


def test_a_platform_that_works_is_well(staffed: Settings) -> None:
    assert look(staffed, "heartbeats").state == "ok"
    assert look(staffed, "queues").state == "ok"


def test_a_beat_that_does_not_tick_is_told(staffed: Settings, engine_store: Store) -> None:
    silence(engine_store, "beat@w3")
    check = look(staffed, "heartbeats")
    assert check.state == "failed"
    assert check.detail.startswith("no beat ticks")
    assert "aispine worker beat" in str(check.remedy)


def test_a_silent_worker_is_named_and_its_queue_is_served_by_nobody(staffed: Settings, engine_store: Store) -> None:
    silence(engine_store, "io@w3")
    assert look(staffed, "heartbeats").detail.startswith("silent: io@w3 for 6")
    check = look(staffed, "queues")
    assert (check.state, check.detail.startswith("no worker serves io (")) == ("failed", True)
    assert "`aispine worker io`" in str(check.remedy)


def test_a_drained_worker_serves_no_queue(staffed: Settings, engine_store: Store) -> None:
    with engine_store.session(None) as session:
        workers.ask_to_drain(session, presence("cpu").worker_id, drain=True)
    assert look(staffed, "queues").detail.startswith("no worker serves cpu (")


def test_work_that_nobody_looked_at_is_named(staffed: Settings, engine_store: Store, flows: Flows) -> None:
    execution_id = flows.start(flows.deploy(flow("stuck", echo("a"))), announce=False)
    advance(engine_store, execution_id, [Started()], Terms(owner="test:1:1"))
    with engine_store.session(None) as session:
        # What other tests left behind would be named before it.
        session.execute(text("UPDATE node_executions SET due_at = NULL"))
        session.execute(text("UPDATE executions SET due_at = NULL"))
        statement = text("UPDATE node_executions SET due_at = now() - interval '90 seconds' WHERE execution_id = :id")
        session.execute(statement, {"id": execution_id})
    check = look(staffed, "work")
    assert check.state == "failed"
    assert check.detail.startswith(f"overdue: {execution_id} by 9")
    assert f"aispine execution show {execution_id}" in str(check.remedy)


def test_without_the_engines_login_nothing_is_said_about_work(staffed: Settings) -> None:
    found = replace(staffed, engine_database_url=None)
    assert {look(found, name).state for name in ("heartbeats", "queues", "work")} == {"skipped"}
