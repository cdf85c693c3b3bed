"""The tick: what is due or lost is set going again, once, however many beats there are."""

from __future__ import annotations

from collections import Counter
from datetime import timedelta
from functools import partial

from sqlalchemy import update

from aispine.agent.contract import AgentFailure
from aispine.engine import broker, canvas, plans
from aispine.engine.queues import EPOCH
from aispine.engine.recover import BACKLOG, Tick
from aispine.engine.start import START_PATIENCE
from aispine.store.database import Store
from aispine.store.models import ExecutionRow
from tests.integration.engine.beats import GONE, Messages, pass_time, recover
from tests.integration.engine.crew import begin, fact, finish, take, together
from tests.support.flows import Flows
from tests.support.polling import eventually
from tests.support.shapes import echo, fan, flow


def test_a_lost_attempt_is_sent_again_once(store: Store, flows: Flows, ticks: list[Tick], messages: Messages) -> None:
    execution_id = flows.start(flows.deploy(fan("lost", 2)), announce=False)
    begin(store, execution_id)
    take(store, execution_id, "b0", GONE)
    take(store, execution_id, "b1")
    recover(ticks)
    seen = flows.see(execution_id)
    assert messages.of(execution_id) == {"b0": 1}
    assert seen.statuses["b0"] == "queued"
    assert seen.statuses["b1"] == "running"
    assert seen.count("node.lost") == 1


def test_a_lost_node_goes_before_what_waits(store: Store, flows: Flows, ticks: list[Tick], messages: Messages) -> None:
    waiting = flows.start(flows.deploy(fan("waiting", 40, pool="cpu")), announce=False)
    sent = begin(store, waiting)
    plan = plans.find(store, sent.execution.flow_version_id)
    canvas.send(broker.app(), plan, sent.execution, sent.queued)
    lost = flows.start(flows.deploy(fan("precedes", 1, pool="cpu")), announce=False)
    begin(store, lost)
    take(store, lost, "b0", GONE)
    recover(ticks)
    messages.client.rpop("cpu")  # What kept the queue from being empty.
    with broker.app().connection_for_read() as connection:
        first = broker.app().amqp.queues["cpu"](connection.default_channel).get(no_ack=True)
    assert first.payload[0] == [lost, "b0"]


def test_a_node_whose_workers_all_die_fails(store: Store, flows: Flows, ticks: list[Tick]) -> None:
    execution_id = flows.start(flows.deploy(fan("deadly", 1)), announce=False)
    begin(store, execution_id)
    for _ in range(3):
        take(store, execution_id, "b0", GONE)
        recover(ticks)
    seen = flows.see(execution_id)
    assert seen.status == "failed"
    assert seen.execution.error is not None
    assert seen.execution.error["code"] == "lost"
    assert seen.nodes["b0"].attempts == 3


def test_a_retry_is_sent_when_its_delay_is_over(
    store: Store, flows: Flows, ticks: list[Tick], messages: Messages
) -> None:
    retry = {"max_attempts": 3, "initial_delay": 0.2, "jitter": "none"}
    execution_id = flows.start(flows.deploy(flow("again", echo("a", retry=retry))), announce=False)
    begin(store, execution_id)
    held = take(store, execution_id, "a")
    finish(store, held, fact(held, AgentFailure(code="unavailable", message="down")), GONE)
    recover(ticks)
    assert messages.of(execution_id) == {}
    assert 0 < ticks[0].pause(1.0) <= 0.25

    def sent() -> Counter[str]:
        recover(ticks)
        return messages.of(execution_id)

    eventually(sent, 5)
    assert messages.of(execution_id) == {"a": 1}


def test_an_execution_whose_time_is_over_ends(store: Store, flows: Flows, ticks: list[Tick]) -> None:
    execution_id = flows.start(flows.deploy(flow("late", echo("a"), echo("b"), timeout=0.1)), announce=False)
    begin(store, execution_id)
    take(store, execution_id, "a")

    def ended() -> bool:
        recover(ticks)
        return flows.see(execution_id).status.terminal

    eventually(ended, 5)
    seen = flows.see(execution_id)
    assert seen.status == "timed_out"
    assert seen.statuses == {"a": "cancelled", "b": "cancelled"}


def test_a_long_backlog_is_not_sent_again(store: Store, flows: Flows, ticks: list[Tick], messages: Messages) -> None:
    execution_id = flows.start(flows.deploy(fan("backlog", 300)), announce=False)
    transition = begin(store, execution_id)
    plan = plans.find(store, transition.execution.flow_version_id)
    canvas.send(broker.app(), plan, transition.execution, transition.queued)
    for _ in range(3):
        recover(ticks)
    assert set(messages.of(execution_id).values()) == {1}
    assert len(messages.of(execution_id)) == 300


def test_what_a_dead_worker_had_taken_is_sent_again_once(
    store: Store, flows: Flows, ticks: list[Tick], messages: Messages
) -> None:
    execution_id = flows.start(flows.deploy(fan("taken", 3)), announce=False)
    begin(store, execution_id)
    pass_time(store, execution_id, seconds=5)
    take(store, execution_id, "b0", GONE)
    recover(ticks)
    assert messages.of(execution_id) == {"b0": 1, "b1": 1, "b2": 1}
    take(store, execution_id, "b0", GONE)
    recover(ticks)
    assert messages.of(execution_id) == {"b0": 2, "b1": 1, "b2": 1}


def test_a_lost_node_is_sent_again_when_the_next_worker_dies_too(
    store: Store, flows: Flows, ticks: list[Tick], messages: Messages
) -> None:
    execution_id = flows.start(flows.deploy(fan("unlucky", 3, pool="cpu")), announce=False)
    begin(store, execution_id)
    for deaths, path in enumerate(("b0", "b1", "b2"), 1):
        take(store, execution_id, path, GONE)
        # One beat: another could send what this one has just made due before it does, and not ahead.
        recover(ticks[:1])
        assert messages.of(execution_id)["b0"] == deaths
        assert messages.of(execution_id, "cpu") == messages.of(execution_id), "all go ahead"
        pass_time(store, execution_id, seconds=5)


def test_an_emptied_broker_gets_every_queued_node_again_once(
    store: Store, flows: Flows, ticks: list[Tick], messages: Messages
) -> None:
    execution_id = flows.start(flows.deploy(fan("emptied", 20)), announce=False)
    begin(store, execution_id)
    take(store, execution_id, "b0")
    messages.lose()
    messages.client.delete(EPOCH)
    # Whoever sees it first sets the new epoch; the others see that it has changed.
    for tick in ticks:
        tick.recover()
    found = messages.of(execution_id)
    assert set(found) == {f"b{index}" for index in range(1, 20)}
    assert set(found.values()) == {1}
    before = dict(found)
    recover(ticks)
    assert messages.of(execution_id) == before


def test_what_nobody_can_advance_keeps_nothing_else_from_recovery(
    store: Store, flows: Flows, ticks: list[Tick], messages: Messages
) -> None:
    flow_id = flows.deploy(fan("pair", 1))
    broken, sound = (flows.start(flow_id, announce=False) for _ in range(2))
    for execution_id in (broken, sound):
        begin(store, execution_id)
        take(store, execution_id, "b0", GONE)
    with store.session(None) as session:
        of_broken = ExecutionRow.execution_id == broken
        version = session.get_one(ExecutionRow, broken).flow_version_id
        session.execute(update(ExecutionRow).where(of_broken).values(flow_version_id=-1))
    assert recover(ticks[:1]) == [1]
    assert messages.of(sound) == {"b0": 1}
    with store.session(None) as session:
        session.execute(update(ExecutionRow).where(of_broken).values(flow_version_id=version))
    assert recover(ticks[:1]) == [0]
    assert messages.of(broken) == {"b0": 1}


def test_a_start_that_nobody_picked_up_is_announced_again(
    store: Store, flows: Flows, ticks: list[Tick], messages: Messages
) -> None:
    execution_id = flows.start(flows.deploy(fan("forgotten", 1)), announce=False)
    with store.session(None) as session:
        overdue = update(ExecutionRow).where(ExecutionRow.execution_id == execution_id)
        session.execute(overdue.values(due_at=ExecutionRow.created_at))
    recover(ticks)
    assert messages.of(execution_id) == {"": 1}
    together(*[partial(begin, store, execution_id)] * 3)
    assert flows.see(execution_id).count("execution.started") == 1


def test_a_start_behind_a_backlog_is_announced_again_once_it_is_missing(
    store: Store, flows: Flows, ticks: list[Tick], messages: Messages
) -> None:
    execution_id = flows.start(flows.deploy(fan("patient", 1)), announce=False)
    with store.session(None) as session:
        accepted = update(ExecutionRow).where(ExecutionRow.execution_id == execution_id)
        ago = ExecutionRow.created_at - timedelta(seconds=START_PATIENCE)
        session.execute(accepted.values(created_at=ago, due_at=ExecutionRow.created_at))
    for _ in range(BACKLOG + 1):
        messages.stuff("engine")
    for _ in range(2):
        recover(ticks)
    assert messages.of(execution_id) == {}, "it may be among them"
    messages.lose()
    recover(ticks)
    assert messages.of(execution_id) == {"": 1}
