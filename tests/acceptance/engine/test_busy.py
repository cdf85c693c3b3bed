"""Workers that are busy for long keep neither timers nor the recovery of others waiting."""

from __future__ import annotations

import os
import signal
from collections.abc import Iterator
from datetime import timedelta

import pytest

from aispine.flow.status import NodeStatus
from aispine.store.database import Store
from aispine.store.models import NodeExecutionRow
from tests.support.flows import Flows, Seen
from tests.support.operations import cancel
from tests.support.polling import eventually
from tests.support.shapes import echo, fan, flow
from tests.support.workers import Workers, pid_of

BUSY_SECONDS = 60
NAP = timedelta(seconds=1)
IN_TIME = timedelta(seconds=1.5)


@pytest.fixture
def busy(workers: Workers, flows: Flows, engine_store: Store) -> Iterator[str]:
    """An execution that keeps every slot of `cpu` for a minute, with more behind it."""
    execution_id = flows.start(flows.deploy(fan("busy", 4, pool="cpu", config={"sleep_seconds": BUSY_SECONDS})))
    try:
        # What other tests have left for `cpu` runs before it.
        flows.wait_for_node(execution_id, "b0", NodeStatus.RUNNING, seconds=60)
        yield execution_id
        pid = pid_of(_owner(engine_store, execution_id, "b0"))
    finally:
        cancel(engine_store, flows.tenant_id, execution_id, reason="seen enough")
    os.kill(pid, signal.SIGKILL)


def test_busy_cpu_slots_delay_neither_a_timer_nor_the_recovery_of_another_node(
    busy: str, flows: Flows, engine_store: Store
) -> None:
    nap = {"id": "nap", "type": "wait", "seconds": NAP.total_seconds()}
    timer = flows.start(flows.deploy(flow("timer", nap, echo("after", "nap"))))
    slow = flows.start(flows.deploy(flow("dies", echo("slow", config={"sleep_seconds": 1.5}))))
    flows.wait_for_node(slow, "slow", NodeStatus.RUNNING)
    os.kill(pid_of(_owner(engine_store, slow, "slow")), signal.SIGKILL)
    recovered, rested = flows.wait(slow), flows.wait(timer)
    assert (recovered.status, recovered.count("node.lost", "slow")) == ("completed", 1)
    assert rested.status == "completed"
    assert _slept(rested) - NAP < IN_TIME
    eventually(lambda: "all 1 slots busy" in str(flows.see(busy).nodes["b1"].reason), what="the reason")
    assert sorted(flows.see(busy).statuses[f"b{index}"] for index in range(4)) == ["queued"] * 3 + ["running"]


def _slept(seen: Seen) -> timedelta:
    (waited,) = [event.created_at for event in seen.events if event.type == "node.waiting"]
    (rose,) = [event.created_at for event in seen.events if (event.type, event.path) == ("node.completed", "nap")]
    return rose - waited


def _owner(store: Store, execution_id: str, path: str) -> str:
    with store.session(None) as session:
        return str(session.get_one(NodeExecutionRow, (execution_id, path)).lease_owner)
