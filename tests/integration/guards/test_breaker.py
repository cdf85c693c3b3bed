"""Circuit breakers on a real Redis, whose circuits open for tenths of a second here."""

from __future__ import annotations

from multiprocessing import get_context
from typing import Any

import pytest

from aispine.agent.contract import AgentFailure, AgentReply
from aispine.guards.breaker import Admission, Breaker, Circuit
from aispine.guards.shared import Shared
from aispine.store.ids import new_id
from tests.support.environment import Servers
from tests.support.polling import eventually

DOWN = AgentFailure(code="unavailable", message="down")
FINE = AgentReply(output=1)
NO = AgentFailure(code="rejected", message="no")
OPEN_SECONDS = 0.3


@pytest.fixture
def name() -> str:
    return f"t:agent:{new_id()}@1.0.0"


@pytest.fixture
def breaker(servers: Servers) -> Breaker:
    return Breaker(Shared(servers.redis_url), seconds=OPEN_SECONDS)


def end(breaker: Breaker, name: str, *outcomes: Any) -> None:
    for outcome in outcomes:
        admitted = breaker.admit(name, 1.0)
        assert isinstance(admitted, Admission)
        breaker.settle(admitted, outcome)


def test_five_failures_in_a_row_open_the_circuit_and_fewer_do_not(breaker: Breaker, name: str) -> None:
    end(breaker, name, DOWN, DOWN, DOWN, DOWN, NO, DOWN, DOWN, DOWN, DOWN)
    assert breaker.show(name) == Circuit(failures=4)
    end(breaker, name, DOWN)
    called: list[int] = []
    refused = breaker.through(name, 1.0, lambda: called.append(1), lambda _: FINE)
    assert isinstance(refused, AgentFailure)
    assert (refused.code, called) == ("unavailable", [])


def probe(breaker: Breaker, name: str) -> Admission:
    """The probe that goes through once the circuit's time is over."""

    def admitted() -> Admission | None:
        found = breaker.admit(name, 1.0)
        return found if isinstance(found, Admission) else None

    return eventually(admitted, 5, "the probe")


def test_one_probe_goes_through_and_decides(breaker: Breaker, name: str) -> None:
    end(breaker, name, *[DOWN] * 5)
    first = probe(breaker, name)
    assert isinstance(breaker.admit(name, 1.0), Circuit)
    breaker.settle(first, DOWN)
    assert isinstance(breaker.admit(name, 1.0), Circuit)
    breaker.settle(probe(breaker, name), FINE)
    assert breaker.show(name) == Circuit()


def test_only_the_probe_closes_and_a_reset_does_too(breaker: Breaker, name: str) -> None:
    early = breaker.admit(name, 1.0)
    assert isinstance(early, Admission)
    end(breaker, name, *[DOWN] * 5)
    breaker.settle(Admission(name=name, token=early.token), FINE)
    shown = breaker.show(name)
    assert shown is not None
    assert (shown.state, shown.failures) == ("open", 5)
    assert breaker.reset(name)
    assert isinstance(breaker.admit(name, 1.0), Admission)


def hammer(redis_url: str, name: str, seconds: float, told: Any) -> None:
    """Asks for admission as fast as it can; every probe fails."""
    import time

    breaker, until, probes = Breaker(Shared(redis_url), seconds=OPEN_SECONDS), time.monotonic() + seconds, 0
    while time.monotonic() < until:
        admitted = breaker.admit(name, 1.0)
        if isinstance(admitted, Admission):
            probes += 1
            breaker.settle(admitted, DOWN)
    told.put(probes)


def test_processes_that_ask_at_once_send_one_probe_at_a_time(servers: Servers, breaker: Breaker, name: str) -> None:
    end(breaker, name, *[DOWN] * 5)
    context = get_context("spawn")
    told = context.SimpleQueue()
    crowd = [context.Process(target=hammer, args=(servers.redis_url, name, 1.0, told)) for _ in range(3)]
    for process in crowd:
        process.start()
    probes = sum(told.get() for _ in crowd)
    for process in crowd:
        process.join()
    # Each probe fails and opens the circuit again, so there is at most one for each time that it is open.
    assert 1 <= probes <= 40


def test_without_redis_every_call_goes_through_and_is_counted() -> None:
    missed: list[int] = []
    breaker = Breaker(Shared("redis://127.0.0.1:1/0", missed=lambda: missed.append(1)))
    assert breaker.through("t:agent:a@1.0.0", 1.0, lambda: DOWN, lambda outcome: outcome) == DOWN
    assert missed
    assert breaker.show("t:agent:a@1.0.0") is None
