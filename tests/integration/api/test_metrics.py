"""`/metrics`: who may read it, and that what several processes did comes together there."""

from __future__ import annotations

import os
import signal
import time
from collections.abc import Callable, Iterator
from dataclasses import replace

import pytest
from flask.testing import FlaskClient
from sqlalchemy import text

from aispine import settings
from aispine.flow.status import NodeStatus
from aispine.store import counters
from aispine.store.database import Store
from api.app import create_app
from tests.support.agents import Answer, HttpAgent
from tests.support.environment import Servers
from tests.support.flows import Flows
from tests.support.operations import cancel
from tests.support.polling import eventually
from tests.support.shapes import agent, echo, flow
from tests.support.workers import Workers, pid_of
from tests.unit.engine.test_metrics import read

TOKEN = "a-token-for-prometheus"


@pytest.fixture
def scraper(settings_env: Servers, api_key: str) -> Iterator[FlaskClient]:
    """A client that carries a key, of an application that runs beside the workers."""
    app = create_app(settings.current())
    client = app.test_client()
    client.environ_base["HTTP_AUTHORIZATION"] = f"Bearer {api_key}"
    yield client
    app.extensions["aispine"].store.dispose()


def scrape(client: FlaskClient, name: str, **labels: str) -> float:
    answer = client.get("/metrics")
    assert answer.status_code == 200, answer.text
    return read(answer.text).get(name, {}).get(tuple(sorted(labels.items())), 0)


def test_without_a_token_any_key_may_read_it(client: FlaskClient) -> None:
    answer = client.get("/metrics")
    assert answer.status_code == 200
    assert answer.content_type == "text/plain; version=0.0.4; charset=utf-8"
    assert client.get("/metrics", headers={"Authorization": ""}).status_code == 401
    assert client.get("/metrics", headers={"Authorization": "Bearer sk_unknown"}).status_code == 401


def test_with_a_token_its_bearer_alone_may_read_it(settings_env: Servers, api_key: str) -> None:
    client = create_app(replace(settings.current(), metrics_token=TOKEN)).test_client()
    codes = {
        key: client.get("/metrics", headers={"Authorization": f"Bearer {key}"}).status_code
        for key in (TOKEN, api_key, "other")
    }
    assert codes == {TOKEN: 200, api_key: 401, "other": 401}


def settled(look: Callable[[], list[float]]) -> list[float]:
    """What is read once it has not changed for 2 s: processes tell what they did in other tests a little later."""
    seen, since = look(), time.monotonic()

    def quiet() -> bool:
        nonlocal seen, since
        if (now := look()) != seen:
            seen, since = now, time.monotonic()
        return time.monotonic() - since > 2

    eventually(quiet, 30, "figures that stay")
    return seen


def test_what_all_processes_did_is_added_up(
    workers: Workers, scraper: FlaskClient, flows: Flows, http_agent: HttpAgent
) -> None:
    ended = {"name": "aispine_executions_ended_total", "status": "completed"}
    retried = {"name": "aispine_node_retries_total", "code": "unavailable"}
    attempts = {"name": "aispine_node_attempts_total", "queue": "cpu"}
    before = settled(lambda: [scrape(scraper, **wanted) for wanted in (ended, retried, attempts)])
    http_agent.will("remote", Answer(status=503, body={}))
    retry = {"max_attempts": 2, "initial_delay": 0.02, "jitter": "none"}
    flow_id = flows.deploy(
        flow("counted", echo("a"), echo("b", "a", pool="cpu"), agent("remote", "remote", "a", retry=retry))
    )
    for execution_id in [flows.start(flow_id) for _ in range(5)]:
        assert flows.wait(execution_id).status == "completed"
    expected = [before[0] + 5, before[1] + 1, before[2] + 5]
    eventually(
        lambda: [scrape(scraper, **wanted) for wanted in (ended, retried, attempts)] == expected, 10, f"{expected}"
    )


def test_an_attempt_whose_process_died_is_counted(workers: Workers, scraper: FlaskClient, flows: Flows) -> None:
    before = scrape(scraper, "aispine_nodes_lost_total")
    slow = echo("a", pool="cpu", config={"sleep_seconds": 3})
    execution_id = flows.start(flows.deploy(flow("dies", slow)))
    flows.wait_for_node(execution_id, "a", NodeStatus.RUNNING)
    (started,) = [event for event in flows.see(execution_id).events if event.type == "node.started"]
    os.kill(pid_of(started.data["worker"]), signal.SIGKILL)
    assert flows.wait(execution_id).count("node.lost", "a") == 1
    eventually(lambda: scrape(scraper, "aispine_nodes_lost_total") == before + 1, what="the count of the loss")


def test_open_work_workers_and_queues_are_shown(
    workers: Workers, scraper: FlaskClient, flows: Flows, http_agent: HttpAgent, web_store: Store
) -> None:
    http_agent.will("a", Answer(hold=True))
    execution_id = flows.start(flows.deploy(flow("open", agent("a", "remote"))))
    flows.wait_for_node(execution_id, "a", NodeStatus.RUNNING)
    eventually(lambda: scrape(scraper, "aispine_nodes_open", status="running") >= 1, what="a running node")
    eventually(lambda: scrape(scraper, "aispine_worker_slots_busy", pool="io") == 1, what="a busy slot")
    assert scrape(scraper, "aispine_executions_open", status="running") >= 1
    assert scrape(scraper, "aispine_workers", pool="io", state="active") == 1
    assert scrape(scraper, "aispine_worker_slots", pool="io") == 8
    assert scrape(scraper, "aispine_queue_length", queue="cpu") == 0
    cancelled = scrape(scraper, "aispine_executions_ended_total", status="cancelled")
    cancel(web_store, flows.tenant_id, execution_id)
    http_agent.release()
    assert scrape(scraper, "aispine_executions_ended_total", status="cancelled") >= cancelled


def test_the_web_process_counts_what_it_does_itself(
    scraper: FlaskClient, flows: Flows, engine_store: Store, no_workers: None
) -> None:
    execution_id = flows.start(flows.deploy(flow("never", echo("a"))), announce=False)
    before = scrape(scraper, "aispine_executions_ended_total", status="cancelled")
    assert scraper.post(f"/api/v1/executions/{execution_id}/cancel").status_code == 202
    assert scrape(scraper, "aispine_executions_ended_total", status="cancelled") == before + 1


def test_a_gauge_that_nobody_sets_any_more_is_left_out(scraper: FlaskClient, engine_store: Store) -> None:
    name = ("aispine_nodes_open", 'status="of_a_test"')
    counters.put(engine_store, {name: 3.0})
    assert scrape(scraper, "aispine_nodes_open", status="of_a_test") == 3
    with engine_store.session(None) as session:
        statement = text("UPDATE counters SET updated_at = now() - interval '1 hour' WHERE labels = :labels")
        session.execute(statement, {"labels": name[1]})
    assert scrape(scraper, "aispine_nodes_open", status="of_a_test") == 0
