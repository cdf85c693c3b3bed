"""What a guarded call costs over a bare one: the same POST on a kept connection, in turn."""

from __future__ import annotations

import json
import statistics
import time
from collections.abc import Callable, Iterator
from typing import Any, Final

import requests

from aispine.agent import call as agent_call
from aispine.agent.contract import AgentReply, AgentRequest
from aispine.agent.definition import AgentVersion
from aispine.audit import Journal
from aispine.engine import auditing, circuits
from aispine.guards import rules
from aispine.guards.breaker import Breaker
from aispine.guards.shared import Shared
from aispine.settings import Settings
from aispine.store.database import Store
from aispine.store.ids import new_id
from benchmarks.guard import agent
from benchmarks.guard.figure import Figure
from benchmarks.stack import Stack

_CALLS: Final = 2000
_WARM: Final = 200
_BAR_MS: Final = 1.0
_SCHEMA: Final = {"type": "object", "required": ["value"], "properties": {"value": {"type": "integer"}}}


def measure(stack: Stack) -> Iterator[Figure]:
    """The medians of both, and what lies between: guard, schemas, circuit in Redis, audit."""
    with agent.serving("bench") as served:
        guarded, bare = _guarded(stack, served.url), _bare(served.url)
        took: dict[str, list[float]] = {"bare": [], "guarded": []}
        for number in range(_WARM + _CALLS):
            for name, call in (("bare", bare), ("guarded", guarded)):
                since = time.perf_counter()
                call()
                if number >= _WARM:
                    took[name].append(time.perf_counter() - since)
    ours, theirs = (statistics.median(took[name]) * 1000 for name in ("guarded", "bare"))
    yield Figure(name="a bare `requests` call on a warm connection, median", value=theirs, unit="ms")
    yield Figure(name="a guarded call: schemas, guard, circuit, audit, median", value=ours, unit="ms")
    yield Figure(name="what the guarded one costs more", value=ours - theirs, unit="ms", most=_BAR_MS)


def _request() -> AgentRequest:
    return AgentRequest(
        execution_id=new_id(),
        tenant_id="bench",
        node_id="a",
        path="a",
        attempt=1,
        idempotency_key="bench:a",
        input={"value": 1},
        config={},
        timeout=30,
    )


def _bare(url: str) -> Callable[[], Any]:
    session, body = requests.Session(), _request().body()
    session.trust_env = False

    def call() -> Any:
        answer = session.post(f"{url}/execute", json=body, timeout=30)
        answer.raise_for_status()
        return answer.json()["output"]

    return call


def _guarded(stack: Stack, url: str) -> Callable[[], Any]:
    """As a worker makes it, from the checked input to the line of the audit."""
    settings = Settings(allowed_hosts="loopback")
    known = json.loads((stack.home / "stack.json").read_text("utf-8"))
    journal = Journal(Store(known["engine_database_url"], pool_size=1))
    breaker, guard = Breaker(Shared(stack.redis_url)), rules.of(settings)
    version = AgentVersion(
        agent_id="bench",
        version="1.0.0",
        kind="http",
        name="bench",
        endpoint=url,
        input_schema=_SCHEMA,
        output_schema={"type": "object"},
    )

    def call() -> Any:
        request = _request()
        called = auditing.around_agent(
            journal,
            "bench:1:1",
            version,
            request,
            lambda: circuits.around_agent(
                breaker, version, request, lambda: agent_call.call(version, request, settings, guard)
            ),
        )
        assert isinstance(called.outcome, AgentReply), called.outcome
        return called.outcome.output

    return call
