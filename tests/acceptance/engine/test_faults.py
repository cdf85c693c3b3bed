"""Killed processes and lost, doubled or stale messages: every execution still ends, each effect recorded once."""

from __future__ import annotations

import os
import signal
from collections.abc import Iterator

import pytest
import redis

from aispine.engine import broker, canvas
from aispine.flow.status import NodeStatus
from aispine.store.database import Store
from aispine.store.models import NodeExecutionRow
from tests.support import queues as broker_queues
from tests.support.environment import Servers
from tests.support.flows import Flows, Seen
from tests.support.messages import waiting
from tests.support.polling import eventually
from tests.support.queues import BrokerQueues
from tests.support.shapes import echo, fan, flow, line
from tests.support.workers import Workers, pid_of


@pytest.fixture
def messages(servers: Servers) -> Iterator[redis.Redis]:
    with redis.Redis.from_url(servers.redis_url) as client:
        yield client


@pytest.fixture
def queues(servers: Servers, engine_store: Store) -> Iterator[BrokerQueues]:
    with broker_queues.connected(servers, engine_store) as found:
        yield found


def _owner(store: Store, execution_id: str, path: str) -> str:
    with store.session(None) as session:
        return str(session.get_one(NodeExecutionRow, (execution_id, path)).lease_owner)


def _check_once(seen: Seen) -> None:
    assert seen.status == "completed", seen.execution.error
    assert [event.seq for event in seen.events] == list(range(1, len(seen.events) + 1))
    assert all(seen.count("node.completed", path) == 1 for path in seen.nodes)
    assert seen.count("execution.completed") == 1


@pytest.mark.core
@pytest.mark.parametrize("pool", ["quick", "cpu"])
def test_a_killed_child_loses_no_execution(workers: Workers, flows: Flows, engine_store: Store, pool: str) -> None:
    slow = echo("slow", "first", config={"sleep_seconds": 1.5}, pool=pool)
    execution_id = flows.start(flows.deploy(flow("killed", echo("first"), slow, echo("after", "slow"))), {"x": 1})
    flows.wait_for_node(execution_id, "slow", NodeStatus.RUNNING)
    os.kill(pid_of(_owner(engine_store, execution_id, "slow")), signal.SIGKILL)
    seen = flows.wait(execution_id, seconds=30)
    _check_once(seen)
    assert seen.output == {"x": 1}
    assert seen.nodes["slow"].attempts == 2
    assert seen.count("node.lost", "slow") == 1
    assert seen.nodes["first"].attempts == 1


@pytest.mark.core
def test_a_killed_worker_of_threads_loses_no_execution(workers: Workers, flows: Flows, engine_store: Store) -> None:
    names = [f"b{index}" for index in range(4)]
    nodes = [echo(name, config={"sleep_seconds": 1.5}, pool="io") for name in names]
    execution_id = flows.start(flows.deploy(flow("killed_io", *nodes, echo("join", *names))))
    for name in names:
        flows.wait_for_node(execution_id, name, NodeStatus.RUNNING)
    os.kill(pid_of(_owner(engine_store, execution_id, "b0")), signal.SIGKILL)
    eventually(lambda: not workers.runs("io"), what="the end of the worker")
    workers.start("io")
    seen = flows.wait(execution_id, seconds=30)
    _check_once(seen)
    assert seen.nodes["join"].attempts == 1
    assert {seen.nodes[name].attempts for name in names} == {2}


@pytest.mark.core
def test_a_node_that_kills_its_workers_is_given_up(workers: Workers, flows: Flows, engine_store: Store) -> None:
    execution_id = flows.start(flows.deploy(flow("deadly", echo("a", config={"sleep_seconds": 20}, pool="cpu"))))
    for attempt in (1, 2, 3):
        eventually(lambda: flows.see(execution_id).nodes["a"].attempts == attempt, 30)  # noqa: B023
        os.kill(pid_of(_owner(engine_store, execution_id, "a")), signal.SIGKILL)
    seen = flows.wait(execution_id, seconds=30)
    assert seen.status == "failed"
    assert seen.nodes["a"].error is not None
    assert seen.nodes["a"].error["code"] == "lost"


@pytest.mark.core
def test_a_lost_start_is_found(workers: Workers, flows: Flows) -> None:
    execution_id = flows.start(flows.deploy(line("unannounced", "ab")), announce=False)
    _check_once(flows.wait(execution_id, seconds=30))


@pytest.mark.core
def test_lost_messages_are_sent_again(workers: Workers, flows: Flows, queues: BrokerQueues) -> None:
    workers.stop("cpu")
    queues.lose("cpu")  # What a worker of an earlier test had not done comes back when it ends.
    execution_id = flows.start(flows.deploy(fan("dropped", 6, pool="cpu")))
    flows.wait_for_node(execution_id, "b5", NodeStatus.QUEUED)
    eventually(lambda: queues.waiting("cpu") >= 6, what="the sending of all")
    queues.lose("cpu")
    queues.let_time_pass(execution_id)
    workers.start("cpu")
    _check_once(flows.wait(execution_id, seconds=30))


def test_an_emptied_redis_loses_no_execution(workers: Workers, flows: Flows, messages: redis.Redis) -> None:
    flow_id = flows.deploy(fan("emptied", 8, pool="cpu", config={"sleep_seconds": 0.1}))
    execution_ids = [flows.start(flow_id) for _ in range(3)]
    flows.wait_for_node(execution_ids[0], "b0", NodeStatus.RUNNING, NodeStatus.COMPLETED)
    messages.flushall()
    for execution_id in execution_ids:
        _check_once(flows.wait(execution_id, seconds=40))


@pytest.mark.core
def test_doubled_messages_run_nothing_twice(workers: Workers, flows: Flows) -> None:
    flow_id = flows.deploy(fan("doubled", 6, config={"sleep_seconds": 0.05}))
    execution_id = flows.start(flow_id)
    for _ in range(3):
        canvas.send_start(broker.app(), execution_id, flow_id)
        for path in [*(f"b{index}" for index in range(6)), "join"]:
            canvas.send_node(broker.app(), execution_id, flow_id, path, "engine")
    seen = flows.wait(execution_id)
    _check_once(seen)
    assert {node.attempts for node in seen.nodes.values()} == {1}
    assert seen.count("execution.started") == 1


def test_stale_messages_of_an_ended_execution_change_nothing(
    workers: Workers, flows: Flows, messages: redis.Redis
) -> None:
    flow_id = flows.deploy(line("stale", "ab"))
    execution_id = flows.wait(flows.start(flow_id)).execution.execution_id
    before = flows.see(execution_id)
    for path in "ab":
        canvas.send_node(broker.app(), execution_id, flow_id, path, "engine")
    canvas.send_start(broker.app(), execution_id, flow_id)
    eventually(lambda: not waiting(messages, "engine") and not messages.hlen("unacked"), what="the end of the messages")
    assert flows.see(execution_id) == before
