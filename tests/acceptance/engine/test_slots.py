"""Agents that take so many calls at once: the others wait as rows, in order, and no crash keeps a slot."""

from __future__ import annotations

import os
import signal
import threading
from collections.abc import Callable
from typing import Any

import pytest

from aispine.agent import registry
from aispine.flow.status import NodeStatus
from aispine.settings import current
from aispine.store.database import Store
from aispine.store.models import CallSlotRow, NodeExecutionRow
from tests.support.agents import Answer, Call, HttpAgent
from tests.support.flows import Flows
from tests.support.operations import cancel
from tests.support.polling import eventually
from tests.support.shapes import agent, flow
from tests.support.workers import Workers, pid_of

Limited = Callable[[int], None]


class Turnstile:
    """Counts the calls that the agent is asked at once, and the order in which they come."""

    def __init__(self, remote: HttpAgent) -> None:
        self.most = 0
        self.order: list[Any] = []
        self._inside = 0
        self._lock = threading.Lock()
        self._answer = remote.answer

    def answer(self, call: Call) -> Answer:
        with self._lock:
            self._inside += 1
            self.most = max(self.most, self._inside)
            self.order.append(call.body["input"].get("value"))
        try:
            return self._answer(call)
        finally:
            with self._lock:
                self._inside -= 1


@pytest.fixture
def turnstile(http_agent: HttpAgent, monkeypatch: pytest.MonkeyPatch) -> Turnstile:
    found = Turnstile(http_agent)
    monkeypatch.setattr(http_agent, "answer", found.answer)
    return found


@pytest.fixture
def limited(web_store: Store, tenant: str, http_agent: HttpAgent) -> Limited:
    def limit(calls: int) -> None:
        with web_store.session(tenant) as session:
            registry.update(session, tenant, "remote", {"max_concurrency": calls}, current())

    return limit


def crowd(count: int) -> tuple[dict[str, Any], dict[str, Any]]:
    body = [agent("one", "remote", input="${item}")]
    items = {"id": "all", "type": "map", "items": "${input.items}", "max_concurrency": 500, "body": body}
    return flow("crowd", items), {"items": list(range(count))}


SINGLE = flow("single", agent("one", "remote", input="${input}"))


def stands_in_line(flows: Flows, execution_id: str) -> bool:
    waits = flows.see(execution_id).nodes["one"].waiting_for
    return waits is not None and waits.kind == "slot"


def slots(store: Store, tenant: str) -> int:
    with store.session(None) as session:
        return session.query(CallSlotRow).filter_by(tenant_id=tenant).count()


def test_an_agent_is_never_asked_more_at_once_than_it_takes_and_in_the_order_of_arrival(
    workers: Workers, flows: Flows, turnstile: Turnstile, limited: Limited, engine_store: Store, tenant: str
) -> None:
    limited(1)
    seen = flows.run(*crowd(20), seconds=40)
    assert seen.status == "completed"
    assert turnstile.most == 1
    assert turnstile.order == list(range(20))
    assert {seen.nodes[f"all[{index}]/one"].attempts for index in range(20)} == {1}
    assert seen.count("node.released") == 0
    assert slots(engine_store, tenant) == 0


def test_who_waits_for_a_slot_says_so_and_holds_no_worker(
    workers: Workers, flows: Flows, http_agent: HttpAgent, turnstile: Turnstile, limited: Limited
) -> None:
    limited(2)
    http_agent.will("one", Answer(hold=True), Answer(hold=True))
    begun = flows.start(flows.deploy(crowd(5)[0]), crowd(5)[1])
    eventually(lambda: len(http_agent.calls) == 2, what="two calls")
    nodes = flows.see(begun).nodes
    last = nodes["all[4]/one"]
    assert (last.status, last.attempts) == (NodeStatus.QUEUED, 0)
    assert last.reason == "waits for a slot of `remote`, which takes 2 calls at once (slot limit), behind 2 others"
    assert last.waiting_for is not None
    assert (last.waiting_for.kind, last.waiting_for.name, last.waiting_for.ahead) == ("slot", "remote", 2)
    http_agent.release()
    assert flows.wait(begun).status == "completed"
    assert turnstile.most == 2


@pytest.mark.core
def test_the_slots_of_a_killed_worker_are_free_again_and_the_limit_holds(
    workers: Workers,
    flows: Flows,
    http_agent: HttpAgent,
    turnstile: Turnstile,
    limited: Limited,
    engine_store: Store,
    tenant: str,
) -> None:
    limited(2)
    http_agent.will("one", Answer(hold=True), Answer(hold=True))
    begun = flows.start(flows.deploy(crowd(12)[0]), crowd(12)[1])
    eventually(lambda: len(http_agent.calls) == 2, what="the first calls")
    with engine_store.session(None) as session:
        owner = session.get_one(NodeExecutionRow, (begun, "all[0]/one")).lease_owner
    os.kill(pid_of(str(owner)), signal.SIGKILL)
    eventually(lambda: not workers.runs("io"), what="the end of the worker")
    http_agent.release()
    workers.start("io")
    seen = flows.wait(begun, seconds=60)
    assert seen.status == "completed"
    assert [seen.nodes[f"all[{index}]/one"].attempts for index in range(3)] == [2, 2, 1]
    assert turnstile.most == 2
    assert slots(engine_store, tenant) == 0


def test_the_slot_of_a_call_that_was_accepted_is_held_until_its_answer_or_its_end(
    workers: Workers,
    flows: Flows,
    http_agent: HttpAgent,
    turnstile: Turnstile,
    limited: Limited,
    web_store: Store,
    engine_store: Store,
    tenant: str,
) -> None:
    limited(1)
    accepted = Answer(status=202, body={"status": "accepted", "timeout": 60})
    http_agent.will("one", accepted)
    begun = flows.start(flows.deploy(SINGLE))
    flows.wait_for_node(begun, "one", NodeStatus.WAITING)
    second = flows.start("single")
    eventually(lambda: stands_in_line(flows, second), what="the line")
    assert len(http_agent.calls) == 1
    cancel(web_store, tenant, begun)
    assert flows.wait(second).status == "completed"
    assert slots(engine_store, tenant) == 0


def test_a_cancelled_execution_leaves_the_line(
    workers: Workers,
    flows: Flows,
    http_agent: HttpAgent,
    turnstile: Turnstile,
    limited: Limited,
    web_store: Store,
    engine_store: Store,
    tenant: str,
) -> None:
    limited(1)
    http_agent.will("one", Answer(hold=True))
    begun = flows.start(flows.deploy(SINGLE), {"value": 0})
    eventually(lambda: http_agent.calls, what="the first call")
    cancelled = flows.start("single", {"value": 1})
    eventually(lambda: stands_in_line(flows, cancelled), what="the line")
    cancel(web_store, tenant, cancelled)
    after = flows.start("single", {"value": 9})
    eventually(lambda: stands_in_line(flows, after), what="the line")
    http_agent.release()
    assert flows.wait(after).status == "completed"
    assert flows.wait(begun).status == "completed"
    assert turnstile.order == [0, 9]
    eventually(lambda: slots(engine_store, tenant) == 0, 30, "the line to be swept")
