"""An execution in which nothing is in flight, as no decision leaves one behind, is found and goes on."""

from __future__ import annotations

from functools import partial

import pytest
from sqlalchemy import text

from aispine.engine.advance import advance
from aispine.engine.facts import Stalled
from aispine.engine.recover import Tick
from aispine.store.database import Store
from tests.integration.engine.beats import Messages, recover
from tests.integration.engine.crew import TERMS, begin, done, take, together
from tests.support.flows import Flows
from tests.support.shapes import echo, fan, flow

MAP = {"id": "pages", "type": "map", "items": "[`1`, `2`]", "body": [echo("one"), echo("two", "one")]}


@pytest.fixture
def ticks(ticks: list[Tick]) -> list[Tick]:
    for tick in ticks:
        tick.strays_looked_for = 0.0
    return ticks


def test_a_join_whose_branches_have_come_in_without_setting_it_going_fires_once(
    store: Store, flows: Flows, ticks: list[Tick], messages: Messages
) -> None:
    execution_id = flows.start(flows.deploy(fan("half_fired", 3)), announce=False)
    begin(store, execution_id)
    for path in ("b0", "b1", "b2"):
        done(store, take(store, execution_id, path))
    _break(store, execution_id, "join", open_nodes=3)
    recover(ticks)
    assert messages.of(execution_id) == {"join": 1}
    done(store, take(store, execution_id, "join"))
    seen = flows.see(execution_id)
    assert (seen.status, seen.count("node.completed", "join")) == ("completed", 1)


def test_what_stands_still_in_a_body_goes_on(store: Store, flows: Flows, ticks: list[Tick], messages: Messages) -> None:
    execution_id = flows.start(flows.deploy(flow("still", MAP)), announce=False)
    begin(store, execution_id)
    for path in ("pages[0]/one", "pages[1]/one"):
        done(store, take(store, execution_id, path))
    for path in ("pages[0]/two", "pages[1]/two"):
        _break(store, execution_id, path, open_nodes=7)
    recover(ticks)
    assert messages.of(execution_id) == {"pages[0]/two": 1, "pages[1]/two": 1}
    for path in ("pages[0]/two", "pages[1]/two"):
        done(store, take(store, execution_id, path))
    assert flows.see(execution_id).status == "completed"


def test_an_execution_that_has_nothing_left_to_do_ends(store: Store, flows: Flows, ticks: list[Tick]) -> None:
    execution_id = flows.start(flows.deploy(flow("all_done", echo("a"))), announce=False)
    begin(store, execution_id)
    done(store, take(store, execution_id, "a"))
    with store.session(None) as session:
        reopen = "UPDATE executions SET status = 'running', finished_at = NULL, open_nodes = 1 WHERE execution_id = :id"
        session.execute(text(reopen), {"id": execution_id})
    recover(ticks)
    assert flows.see(execution_id).status == "completed"


def test_what_goes_on_by_itself_is_left_alone(store: Store, flows: Flows) -> None:
    execution_id = flows.start(flows.deploy(fan("sound", 3)), announce=False)
    begin(store, execution_id)
    before = flows.see(execution_id)
    told = together(*[partial(advance, store, execution_id, [Stalled()], TERMS)] * 3)
    assert all(transition is not None and transition.empty for transition in told)
    assert flows.see(execution_id) == before


def _break(store: Store, execution_id: str, path: str, *, open_nodes: int) -> None:
    """Makes a node that was set going look as if nothing had ever set it going, and the counts wrong."""
    with store.session(None) as session:
        node = """UPDATE node_executions SET status = 'pending', queue = NULL, queued_at = NULL, due_at = NULL,
                  unsettled = 1, live_dependency = 0 WHERE execution_id = :id AND path = :path"""
        session.execute(text(node), {"id": execution_id, "path": path})
        counts = "UPDATE executions SET open_nodes = :open, active_nodes = 0 WHERE execution_id = :id"
        session.execute(text(counts), {"id": execution_id, "open": open_nodes})
