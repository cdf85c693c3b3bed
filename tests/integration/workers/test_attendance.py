"""What workers say of themselves, and what they do when they are asked to drain."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest
import redis

from aispine.flow.status import NodeStatus
from aispine.store import workers as table
from aispine.store.database import Store
from aispine.store.models import WorkerRow
from tests.support.agents import Answer, HttpAgent
from tests.support.environment import Servers
from tests.support.flows import Flows
from tests.support.messages import waiting
from tests.support.operations import cancel
from tests.support.polling import eventually
from tests.support.shapes import agent, echo, flow, says
from tests.support.workers import Workers, pid_of


def _row(store: Store, pool: str) -> WorkerRow | None:
    """The newest one: what another test has killed leaves its row for a while."""
    with store.session(None) as session:
        found = [row for row in table.rows(session) if row.pool == pool]
    return max(found, key=lambda row: row.heartbeat_at, default=None)


def _seen(store: Store, pool: str) -> WorkerRow:
    return eventually(lambda: _row(store, pool), what=f"a heartbeat of {pool}")


def _ask(store: Store, worker_id: str, *, drain: bool) -> None:
    with store.session(None) as session:
        table.ask_to_drain(session, worker_id, drain=drain)


def test_idle_workers_and_beat_say_that_they_live(workers: Workers, engine_store: Store) -> None:
    slots = {pool: _seen(engine_store, pool).slots for pool in ("engine", "cpu", "io", "beat")}
    assert slots == {"engine": 2, "cpu": 1, "io": 8, "beat": 0}
    for pool in ("engine", "beat"):
        first = _seen(engine_store, pool)
        eventually(lambda: _seen(engine_store, pool).heartbeat_at > first.heartbeat_at, what="another heartbeat")  # noqa: B023


def test_a_worker_knows_the_processes_that_run_its_nodes(workers: Workers, engine_store: Store, flows: Flows) -> None:
    seen = flows.run(flow("where", echo("a", pool="cpu")))
    (started,) = [event for event in seen.events if event.type == "node.started"]
    assert pid_of(started.data["worker"]) in _seen(engine_store, "cpu").processes


def test_a_busy_worker_says_so(workers: Workers, engine_store: Store, flows: Flows, http_agent: HttpAgent) -> None:
    http_agent.will("a", Answer(hold=True))
    execution_id = flows.start(flows.deploy(flow("busy", agent("a", "remote"))))
    eventually(lambda: _seen(engine_store, "io").busy == 1, what="a busy worker")
    http_agent.release()
    flows.wait(execution_id)
    eventually(lambda: _seen(engine_store, "io").busy == 0, what="an idle worker")


@pytest.mark.parametrize("pool", ["cpu", "io"])
def test_a_drained_worker_takes_no_message_until_it_resumes(
    workers: Workers, engine_store: Store, flows: Flows, servers: Servers, pool: str
) -> None:
    worker_id = _seen(engine_store, pool).worker_id
    _ask(engine_store, worker_id, drain=True)
    eventually(lambda: not _seen(engine_store, pool).consuming, what="the end of consuming")
    execution_id = flows.start(flows.deploy(flow("late", echo("a", pool=pool, config=says("done")))))
    flows.wait_for_node(execution_id, "a", NodeStatus.QUEUED)
    with redis.Redis.from_url(servers.redis_url) as client:
        eventually(lambda: waiting(client, pool) == 1, what="the message")
        # The worker spoke twice since, so it has looked at its connection in between.
        since = _seen(engine_store, pool).heartbeat_at
        eventually(lambda: _seen(engine_store, pool).heartbeat_at > since, what="another heartbeat")
        assert waiting(client, pool) == 1
    _ask(engine_store, worker_id, drain=False)
    assert flows.wait(execution_id).output == "done"
    assert eventually(lambda: _seen(engine_store, pool).consuming, what="consuming")


@pytest.mark.parametrize("name", ["cpu", "beat"])
def test_who_stops_takes_its_row_away(workers: Workers, engine_store: Store, name: str) -> None:
    since = datetime.now(UTC)
    eventually(lambda: _seen(engine_store, name).heartbeat_at > since, what="a heartbeat of the one that runs")
    worker_id = _seen(engine_store, name).worker_id
    workers.stop(name)
    with engine_store.session(None) as session:
        assert worker_id not in {row.worker_id for row in table.rows(session)}


def test_a_cancelled_call_over_http_is_closed_within_a_heartbeat_or_two(
    workers: Workers, web_store: Store, engine_store: Store, flows: Flows, http_agent: HttpAgent
) -> None:
    http_agent.will("a", Answer(hold=True))
    execution_id = flows.start(flows.deploy(flow("hangs", agent("a", "remote", timeout=60))))
    eventually(lambda: _seen(engine_store, "io").busy == 1, what="the call")
    cancel(web_store, flows.tenant_id, execution_id)
    eventually(lambda: _seen(engine_store, "io").busy == 0, 5, "the end of the call")
    assert flows.see(execution_id).statuses == {"a": "cancelled"}
