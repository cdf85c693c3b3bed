"""What a worker does with the nodes it runs when it is asked to stop."""

from __future__ import annotations

import json
import subprocess
import time

import psutil
import pytest
import redis

from aispine.flow.status import NodeStatus
from aispine.settings import Settings
from aispine.stack.worker import worker_command
from aispine.store.database import Store
from tests.support.environment import ROOT, Servers, process_environment
from tests.support.flows import Flows
from tests.support.operations import cancel
from tests.support.polling import eventually
from tests.support.shapes import echo, flow
from tests.support.workers import Workers


def _unacknowledged(servers: Servers) -> set[bytes]:
    with redis.Redis.from_url(servers.redis_url) as client:
        return set(client.hkeys("unacked"))


def _ahead(client: redis.Redis, queue: str) -> list[str]:
    """What the messages that go before all others are about."""
    return [json.loads(raw)["headers"]["argsrepr"] for raw in client.lrange(queue, 0, -1)]


@pytest.mark.parametrize("pool", ["cpu", "io"])
def test_a_worker_ends_as_soon_as_its_node_does(workers: Workers, flows: Flows, servers: Servers, pool: str) -> None:
    before = _unacknowledged(servers)  # A worker that an earlier test killed had no time to give back what it held.
    slow = echo("slow", config={"sleep_seconds": 2.5}, pool=pool)
    execution_id = flows.start(flows.deploy(flow("stopped", slow, echo("after", "slow"))))
    flows.wait_for_node(execution_id, "slow", NodeStatus.RUNNING)
    begun = time.monotonic()
    workers.stop(pool)
    assert time.monotonic() - begun < 10
    seen = flows.wait(execution_id)
    assert (seen.status, seen.nodes["slow"].attempts) == ("completed", 1)
    assert seen.count("node.completed", "slow") == 1
    assert _unacknowledged(servers) <= before


@pytest.mark.parametrize("pool", ["engine", "cpu", "io"])
def test_an_idle_worker_ends_at_once(workers: Workers, pool: str) -> None:
    begun = time.monotonic()
    workers.stop(pool)
    assert time.monotonic() - begun < 8


@pytest.mark.parametrize("pool", ["cpu", "io"])
def test_a_node_that_takes_too_long_does_not_keep_its_worker(
    workers: Workers, flows: Flows, servers: Servers, web_store: Store, pool: str
) -> None:
    workers.stop(pool)
    command = [*worker_command(pool, Settings(home=servers.home), 1), "--patience", "0.5"]
    with subprocess.Popen(command, env=process_environment(servers), cwd=ROOT, stderr=subprocess.PIPE) as process:
        execution_id = flows.start(flows.deploy(flow("endless", echo("a", config={"sleep_seconds": 60}, pool=pool))))
        flows.wait_for_node(execution_id, "a", NodeStatus.RUNNING, seconds=60)
        children = psutil.Process(process.pid).children(recursive=True)
        process.terminate()
        _, printed = process.communicate(timeout=15)
    eventually(lambda: not any(child.is_running() for child in children), what="the end of the pool")
    assert process.returncode == 1
    assert b"worker.out_of_patience" in printed
    # Handed back at once, long before its lease would have ended.
    seen = flows.see(execution_id)
    assert seen.statuses["a"] == "queued"
    (lost,) = [event for event in seen.events if event.type == "node.lost"]
    assert lost.data["handed_back"] is True
    with redis.Redis.from_url(servers.redis_url) as client:
        assert any(execution_id in said for said in _ahead(client, pool))
    cancel(web_store, flows.tenant_id, execution_id, reason="seen enough")
