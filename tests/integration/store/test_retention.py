"""What ended long ago goes with all that belongs to it; nothing else does."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta

import pytest
from sqlalchemy import func, select, text, update

from aispine import retention
from aispine.engine.advance import advance
from aispine.engine.facts import CancelRequested, Started
from aispine.engine.terms import Terms
from aispine.retention import Retention
from aispine.store.database import Store
from aispine.store.ids import new_id
from aispine.store.models import (
    EventRow,
    ExecutionRow,
    IdempotencyKeyRow,
    NodeExecutionRow,
    NodeLogRow,
    ScheduleFiringRow,
    ScheduleRow,
    SignalRow,
)
from tests.support.environment import Servers
from tests.support.flows import Flows
from tests.support.shapes import echo, flow

DAY = 86_400.0
TABLES = (ExecutionRow, NodeExecutionRow, EventRow, NodeLogRow, SignalRow)


@pytest.fixture
def store(no_workers: None, servers: Servers) -> Iterator[Store]:
    store = Store(servers.engine_url, pool_size=2)
    yield store
    store.dispose()


class Past:
    """Executions of one tenant that ended a while ago."""

    def __init__(self, store: Store, flows: Flows) -> None:
        self.store = store
        self.flows = flows
        self.flow_id = flows.deploy(flow("old", echo("a"), schedule={"every": "1h"}))

    def ended(self, days: float, *, parent: str | None = None) -> str:
        """An execution that was cancelled so many days ago, with a row in every table that has some of it."""
        execution_id = self.flows.start(self.flow_id, announce=False)
        terms = Terms(owner="test:1:1")
        advance(self.store, execution_id, [Started()], terms)
        advance(self.store, execution_id, [CancelRequested(reason="enough")], terms)
        mine = {"execution_id": execution_id, "tenant_id": self.flows.tenant_id}
        ended_at = func.clock_timestamp() - timedelta(days=days)
        with self.store.session(None) as session:
            session.add(NodeLogRow(**mine, path="a", attempt=1, text="said"))
            session.add(SignalRow(**mine, signal_id=new_id(), name="go"))
            changed = {"finished_at": ended_at, "parent_execution_id": parent, "parent_path": parent and execution_id}
            changed["parent_attempt"] = 1 if parent else None
            session.execute(update(ExecutionRow).filter_by(execution_id=execution_id).values(**changed))
        return execution_id

    def left(self) -> set[str]:
        """The executions that are there; whatever belongs to one is there with it and goes with it."""
        with self.store.session(None) as session:
            found = [
                set(session.scalars(select(table.execution_id).filter_by(tenant_id=self.flows.tenant_id)))
                for table in TABLES
            ]
        assert all(each == found[0] for each in found)
        return found[0]

    def forget(self, seconds: float = DAY) -> None:
        """One round, slice after slice."""
        sweep = Retention(store=self.store, seconds=seconds)
        for _ in range(20):
            sweep.forget()


@pytest.fixture
def past(store: Store, flows: Flows) -> Past:
    return Past(store, flows)


def test_what_ended_before_the_time_goes_and_what_is_younger_or_open_stays(past: Past) -> None:
    old, young = past.ended(2), past.ended(0.5)
    past.forget()
    assert past.left() == {young}
    assert old != young


def test_nothing_goes_when_everything_is_kept(past: Past) -> None:
    old = past.ended(10_000)
    past.forget(0)
    assert past.left() == {old}


def test_children_go_with_their_parent_and_not_before(past: Past) -> None:
    young = past.ended(0.5)
    child_of_young = past.ended(3, parent=young)
    old = past.ended(2)
    past.ended(3, parent=past.ended(3, parent=old))
    past.forget()
    assert past.left() == {young, child_of_young}


def test_a_tree_stays_whole_while_one_of_it_goes_on_and_holds_up_no_other(
    past: Past, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(retention, "ROOTS", 1)
    oldest = past.ended(9)
    child = past.ended(0.1, parent=oldest)
    past.ended(5)
    past.ended(4)
    past.forget()
    assert past.left() == {oldest, child}


def test_an_execution_that_somebody_holds_goes_the_next_time(past: Past, store: Store) -> None:
    old = past.ended(2)
    with store.session(None) as session:
        session.execute(select(ExecutionRow.execution_id).filter_by(execution_id=old).with_for_update())
        past.forget()
        assert past.left() == {old}
    past.forget()
    assert past.left() == set()


def test_a_batch_is_limited_by_its_events(past: Past, store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(retention, "EVENTS", 1)
    monkeypatch.setattr(retention, "SLICE", 0.0)
    for _ in range(3):
        past.ended(2)
    sweep, left = Retention(store=store, seconds=DAY), [3]
    while left[-1]:
        sweep.forget()
        left.append(len(past.left()))
    assert sorted({*left}, reverse=True) == [3, 2, 1, 0]


def test_old_firings_and_keys_go_too(past: Past, store: Store) -> None:
    with store.session(None) as session:
        schedule = session.scalars(select(ScheduleRow).filter_by(tenant_id=past.flows.tenant_id)).one()
        mine = {"tenant_id": schedule.tenant_id}
        for days in (0, 3):
            at = func.clock_timestamp() - timedelta(days=days)
            firing = ScheduleFiringRow(**mine, schedule_id=schedule.schedule_id, due_at=at, fired_at=at)
            key = {"method": "POST", "path": "/", "key": f"{days} days", "request_hash": "x"}
            session.add_all([firing, IdempotencyKeyRow(**mine, **key, created_at=at)])
    past.forget(0)
    past.forget()
    with store.session(None) as session:
        tenant = {"tenant": past.flows.tenant_id}
        keys = session.scalars(text("SELECT key FROM idempotency_keys WHERE tenant_id = :tenant"), tenant).all()
        firings = session.scalar(text("SELECT count(*) FROM schedule_firings WHERE tenant_id = :tenant"), tenant)
    assert (keys, firings) == (["0 days"], 1)
