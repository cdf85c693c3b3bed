"""Call slots on the store: counted under any interleaving, in the order of arrival, fenced by the attempt."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import chain

import pytest
from sqlalchemy import text

from aispine.engine import broker, slots
from aispine.engine.advance import advance, claim
from aispine.engine.dispatch import Dispatch
from aispine.engine.facts import Finished, PauseRequested, Released, ResumeRequested
from aispine.engine.handback import hand_back
from aispine.engine.recover import Tick
from aispine.engine.work import work
from aispine.guards.shared import Shared
from aispine.guards.turns import Turns
from aispine.store import call_slots
from aispine.store.call_slots import Granted, Line
from aispine.store.database import Store
from aispine.store.ids import new_id
from aispine.store.models import CallSlotRow, NodeExecutionRow
from tests.integration.engine import desk
from tests.integration.engine.beats import Messages, Silence
from tests.integration.engine.crew import TERMS, begin, take, together
from tests.support.environment import Servers
from tests.support.flows import Flows
from tests.support.shapes import echo, flow

MOST = 3
NODES = [f"n{index:02}" for index in range(12)]


@pytest.fixture
def line(store: Store, tenant: str) -> Iterator[Line]:
    found = Line(tenant_id=tenant, agent_id="echo")
    yield found
    with store.session(None) as session:
        session.query(CallSlotRow).filter_by(tenant_id=tenant).delete()


@pytest.fixture
def begun(store: Store, flows: Flows) -> str:
    """An execution whose nodes are all queued."""
    execution_id = flows.start(flows.deploy(flow("lined-up", *map(echo, NODES))), announce=False)
    begin(store, execution_id)
    return execution_id


def come(store: Store, line: Line, execution_id: str, *names: str, most: int = MOST) -> list[str]:
    """Lines nodes up; returns who is let in."""
    with store.session(line.tenant_id) as session:
        call_slots.lock(session, line)
        call_slots.line_up(session, line, execution_id, names, max_concurrency=most, limits=[])
        return paths(call_slots.grant(session, line, 10.0))


def go(store: Store, line: Line, execution_id: str, name: str, owner: str | None = TERMS.owner) -> list[str]:
    """Gives back the slot of a first attempt; returns who is let in."""
    with store.session(line.tenant_id) as session:
        call_slots.lock(session, line)
        call_slots.leave(session, execution_id, name, 1, owner)
        return paths(call_slots.grant(session, line, 10.0))


def enter(store: Store, execution_id: str, name: str, *, attempt: int = 1, lease: float = 60.0) -> bool:
    return call_slots.enter(store, execution_id, name, attempt, owner=TERMS.owner, lease=lease)


def paths(granted: list[Granted]) -> list[str]:
    return [each.path for each in granted]


def test_slots_are_given_in_the_order_of_arrival_and_never_more_than_there_are(
    store: Store, line: Line, begun: str
) -> None:
    assert come(store, line, begun, *NODES[:5]) == NODES[:3]
    assert come(store, line, begun, *NODES[5:]) == []
    assert come(store, line, begun, *NODES) == []
    assert not enter(store, begun, NODES[3])
    for done, follows in zip(NODES, NODES[3:], strict=False):
        assert enter(store, begun, done)
        assert go(store, line, begun, done) == [follows]


def test_who_comes_and_goes_at_the_same_instant_is_counted_once(store: Store, line: Line, begun: str) -> None:
    let_in = list(chain(*together(*[lambda name=name: come(store, line, begun, name) for name in NODES])))
    assert len(let_in) == MOST
    while let_in:
        assert all(enter(store, begun, name) for name in let_in)
        let_in = list(chain(*together(*[lambda name=name: go(store, line, begun, name) for name in let_in])))
        assert len(let_in) <= MOST
    with store.session(None) as session:
        assert session.query(CallSlotRow).filter_by(tenant_id=line.tenant_id).count() == 0


def test_only_who_holds_a_slot_gives_it_back(store: Store, line: Line, begun: str) -> None:
    assert come(store, line, begun, *NODES[:2], most=1) == [NODES[0]]
    assert enter(store, begun, NODES[0])
    assert not enter(store, begun, NODES[0], attempt=2)
    assert go(store, line, begun, NODES[0], owner="other:1:1") == []
    assert go(store, line, begun, NODES[1]) == []
    assert go(store, line, begun, NODES[0]) == [NODES[1]]
    assert go(store, line, begun, NODES[0]) == []


def test_the_slot_of_a_process_that_died_is_given_on_and_one_that_is_renewed_is_not(
    store: Store, line: Line, begun: str
) -> None:
    assert come(store, line, begun, *NODES[:2], most=1) == [NODES[0]]
    take(store, begun, NODES[0])
    assert enter(store, begun, NODES[0], lease=0.0)
    call_slots.renew(store, TERMS.owner, 60.0)
    assert slots.look(store) == []
    call_slots.renew(store, TERMS.owner, 0.0)
    assert paths(slots.look(store)) == [NODES[1]]
    assert not enter(store, begun, NODES[0])


def test_a_process_that_has_to_stop_gives_its_slots_back(store: Store, line: Line, begun: str) -> None:
    assert come(store, line, begun, *NODES[:3], most=2) == NODES[:2]
    assert enter(store, begun, NODES[0])
    call_slots.give_up(store, ["other:1:1"])
    assert slots.look(store) == []
    hand_back(desk.worker(store).dispatch, TERMS, [TERMS.owner], "engine")
    assert paths(slots.look(store)) == [NODES[2]]


def test_after_an_outage_what_could_not_be_renewed_is_spared(store: Store, line: Line, begun: str) -> None:
    assert come(store, line, begun, *NODES[:2], most=1) == [NODES[0]]
    assert enter(store, begun, NODES[0], lease=0.0)
    call_slots.spare(store, 60.0)
    assert slots.look(store) == []


def test_a_slot_waits_for_its_node_while_that_is_queued_and_no_longer(store: Store, line: Line, begun: str) -> None:
    assert come(store, line, begun, *NODES[:3], most=1) == [NODES[0]]
    assert slots.look(store) == []
    take(store, begun, NODES[0])
    assert slots.look(store) == []
    advance(store, begun, [Released(path=NODES[0], attempt=1)], TERMS)
    assert slots.look(store) == []
    with store.session(None) as session:
        session.get_one(NodeExecutionRow, (begun, NODES[0])).attempt = 1
    assert paths(slots.look(store)) == [NODES[1]]


def test_a_paused_execution_gives_its_places_up(store: Store, line: Line, begun: str, flows: Flows) -> None:
    other = flows.start("lined-up", announce=False)
    begin(store, other)
    assert come(store, line, begun, *NODES[:2], most=1) == [NODES[0]]
    assert come(store, line, other, NODES[0], most=1) == []
    advance(store, begun, [PauseRequested(by=None)], TERMS)
    (let_in,) = slots.look(store)
    assert let_in.execution_id == other
    advance(store, begun, [ResumeRequested(by=None)], TERMS)
    assert come(store, line, begun, NODES[0], most=1) == []
    assert enter(store, other, NODES[0])
    assert go(store, line, other, NODES[0]) == [NODES[1]]


def test_a_node_that_was_claimed_without_a_slot_is_not_called_and_lines_up(
    store: Store, line: Line, flows: Flows, messages: Messages
) -> None:
    begun = flows.start(flows.deploy(flow("limited", echo("a"), echo("b"))), announce=False)
    with store.session(None) as session:
        session.execute(_LIMIT, {"execution_id": begun})
    begin(store, begun)
    worker = desk.worker(store)
    told = work(worker, take(store, begun, "a"))
    assert told == Released(path="a", attempt=1)
    transition = advance(store, begun, [told], TERMS)
    assert transition is not None
    worker.dispatch.follow(transition)
    assert messages.of(begun) == {"a": 1}
    held = take(store, begun, "a")
    assert come(store, line, begun, "b", most=1) == []
    assert isinstance(work(worker, held), Finished)
    assert messages.of(begun) == {"a": 1, "b": 1}


def test_who_has_a_slot_waits_for_the_turn_of_the_call_as_well(
    store: Store, line: Line, begun: str, messages: Messages, servers: Servers
) -> None:
    turns = Turns(Shared(servers.redis_url))
    dispatch = Dispatch(store=store, celery=broker.app(), wakeups=Silence(), turns=turns)
    with store.session(None) as session:
        call_slots.lock(session, line)
        call_slots.line_up(session, line, begun, NODES, max_concurrency=6, limits=[[new_id(), 60, 60]])
        granted = call_slots.grant(session, line, 10.0)
    assert paths(granted) == NODES[:6]
    dispatch.let_in(granted)
    # Five at once, and then one each second.
    assert messages.of(begun) == dict.fromkeys(NODES[:5], 1)
    assert claim(store, begun, [NODES[5]], TERMS) == []
    assert slots.look(store) == []


def test_the_login_of_the_web_hands_out_slots_of_its_tenant(
    store: Store, web_store: Store, line: Line, begun: str
) -> None:
    assert come(store, line, begun, NODES[0], most=1) == [NODES[0]]
    assert come(web_store, line, begun, NODES[1], most=1) == []
    assert enter(store, begun, NODES[0])
    assert go(web_store, line, begun, NODES[0]) == [NODES[1]]


def test_what_left_the_line_is_swept_out_of_it_and_what_stands_stays(
    store: Store, line: Line, begun: str, ticks: list[Tick]
) -> None:
    assert come(store, line, begun, *NODES[:3], most=1) == [NODES[0]]
    with store.session(None) as session:
        session.get_one(NodeExecutionRow, (begun, NODES[1])).status = "cancelled"
        session.get_one(NodeExecutionRow, (begun, NODES[1])).due_at = None
    ticks[0].strays_looked_for = 0.0
    ticks[0].recover()
    with store.session(None) as session:
        left = session.query(CallSlotRow).filter_by(tenant_id=line.tenant_id).order_by(CallSlotRow.path)
        assert [(row.path, row.granted_at is not None) for row in left] == [(NODES[0], True), (NODES[2], False)]


_LIMIT = text(
    """
    UPDATE executions
    SET agents = (SELECT json_object_agg(key, CAST(value AS jsonb) || '{"max_concurrency": 1}') FROM json_each(agents))
    WHERE execution_id = :execution_id
    """
)
