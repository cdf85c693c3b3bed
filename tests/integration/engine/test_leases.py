"""A process renews the leases of what it runs, and hears of what is not its own any more."""

from __future__ import annotations

import pytest
from sqlalchemy import text

from aispine.engine.lease import Leases
from aispine.engine.terms import Terms
from aispine.store.database import Store
from aispine.store.leases import Key
from tests.integration.engine.crew import begin, take
from tests.support.flows import Flows
from tests.support.operations import cancel
from tests.support.shapes import echo, flow

TERMS = Terms(owner="test:1:1", lease=5.0)


@pytest.fixture
def execution_id(store: Store, flows: Flows) -> str:
    """An execution whose node `a` is held under these terms."""
    started = flows.start(flows.deploy(flow("held", echo("a"))), announce=False)
    begin(store, started)
    take(store, started, "a", TERMS)
    return started


def leases(store: Store, gone: list[Key]) -> Leases:
    """They renew everything they hold at once."""
    return Leases(store, TERMS.owner, lease=60.0, heartbeat=0.0, let_go=lambda *key: gone.append(key))


def due(store: Store, execution_id: str) -> object:
    with store.session(None) as session:
        statement = text("SELECT due_at FROM node_executions WHERE execution_id = :id AND path = 'a'")
        return session.scalar(statement, {"id": execution_id})


def test_what_is_held_is_renewed(store: Store, execution_id: str) -> None:
    gone: list[Key] = []
    before = due(store, execution_id)
    held = leases(store, gone)
    with held.hold(execution_id, "a", 1):
        held.renew()
    assert due(store, execution_id) > before  # type: ignore[operator] # Both are times.
    assert gone == []


def test_a_node_that_was_cancelled_is_let_go_once(
    store: Store, web_store: Store, flows: Flows, execution_id: str
) -> None:
    gone: list[Key] = []
    held = leases(store, gone)
    with held.hold(execution_id, "a", 1):
        cancel(web_store, flows.tenant_id, execution_id)
        held.renew()
        held.renew()
    assert gone == [(execution_id, "a", 1)]


def test_an_attempt_that_is_over_is_let_go(store: Store, execution_id: str) -> None:
    gone: list[Key] = []
    held = leases(store, gone)
    with held.hold(execution_id, "a", 2):
        held.renew()
    assert gone == [(execution_id, "a", 2)]


def test_a_row_that_somebody_holds_just_now_is_still_ours(store: Store, execution_id: str) -> None:
    gone: list[Key] = []
    held = leases(store, gone)
    with held.hold(execution_id, "a", 1), store.session(None) as session:
        session.execute(text("SELECT 1 FROM node_executions WHERE execution_id = :id FOR UPDATE"), {"id": execution_id})
        held.renew()
    assert gone == []
