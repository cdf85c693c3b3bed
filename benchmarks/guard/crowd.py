"""Breaker and limits under eight processes that ask as fast as they can."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from multiprocessing import get_context
from typing import Any, Final

import redis

from aispine.flow.outcome import AgentFailure
from aispine.guards.breaker import FAILURES, Admission, Breaker
from aispine.guards.shared import Shared
from aispine.guards.turns import Limit, Turns
from aispine.store.ids import new_id
from benchmarks.guard.figure import Figure
from benchmarks.stack import Stack

PROCESSES: Final = 8
_SECONDS: Final = 10.0
_OPEN: Final = 0.1
_DOWN: Final = AgentFailure(code="unavailable", message="down")
_PER_MINUTE: Final = 60
_TURNS: Final = 10_000
_BATCH: Final = 5
_BLUR: Final = 0.5
"""Seconds by which the time of a turn may be off here: half of what lies between two."""


def breaker(stack: Stack) -> Iterator[Figure]:
    """An open circuit whose every probe fails: how many probes are under way at once, at most."""
    name, shared = f"bench:{new_id()}", Breaker(Shared(stack.redis_url), seconds=_OPEN)
    for _ in range(FAILURES):
        admitted = shared.admit(name, 1.0)
        assert isinstance(admitted, Admission)
        shared.settle(admitted, _DOWN)
    told = _crowd(_probe, stack.redis_url, name)
    probes = sum(found["probes"] for found in told)
    yield Figure(name="breaker: questions of 8 processes in 10 s", value=sum(found["asked"] for found in told))
    yield Figure(name="breaker: probes at the same time", value=max(found["at_once"] for found in told), most=1)
    # Each one fails and opens the circuit anew: more of them than times that it was open cannot be. The processes do
    # not begin together, so all of them last longer than each.
    lasted = max(found["ended"] for found in told) - min(found["begun"] for found in told)
    yield Figure(
        name="breaker: probes, at most one for each time that it was open", value=probes, most=lasted // _OPEN + 1
    )


def _probe(redis_url: str, name: str, told: Any) -> None:
    server, guard = redis.Redis.from_url(redis_url), Breaker(Shared(redis_url), seconds=_OPEN)
    begun = time.monotonic()  # The machine's clock, and so the same for all processes.
    found: dict[str, float] = {"begun": begun, "asked": 0, "probes": 0, "at_once": 0}
    while time.monotonic() < begun + _SECONDS:
        admitted = guard.admit(name, 1.0)
        found["asked"] += 1
        if isinstance(admitted, Admission):
            found["probes"] += 1
            found["at_once"] = max(found["at_once"], int(server.incr(f"{name}:under-way")))
            time.sleep(0.002)
            server.decr(f"{name}:under-way")
            guard.settle(admitted, _DOWN)
    told.put({**found, "ended": time.monotonic()})


def limiter(stack: Stack) -> Iterator[Figure]:
    """10,000 turns taken by eight processes: none doubled, none left out, none over the limit."""
    key = new_id()
    turns = sorted(turn for found in _crowd(_take, stack.redis_url, key) for turn in found)
    limit = _limit(key)
    waited = turns[limit.at_once :]
    places = [round(turn - waited[0]) for turn in waited]
    yield Figure(name="limiter: turns that 8 processes were given", value=len(turns), least=_TURNS, most=_TURNS)
    yield Figure(name="limiter: turns given twice", value=len(places) - len(set(places)), most=0)
    yield Figure(name="limiter: turns left out", value=places[-1] + 1 - len(set(places)), most=0)
    yield Figure(name="limiter: turns in the fullest minute", value=_fullest(turns), most=_PER_MINUTE + limit.at_once)


def _take(redis_url: str, key: str, told: Any) -> None:
    """Turns are a second apart, so that it does not matter how long Redis takes to answer."""
    shared, found = Turns(Shared(redis_url)), list[float]()
    for _ in range(_TURNS // PROCESSES // _BATCH):
        since = time.time()
        delays = shared.take([[_limit(key)]] * _BATCH)
        found += [(since + time.time()) / 2 + delay for delay in delays]
    told.put(found)


def _limit(key: str) -> Limit:
    return Limit(key=key, count=_PER_MINUTE, seconds=60.0)


def _fullest(turns: list[float]) -> int:
    most, first = 0, 0
    for last, turn in enumerate(turns):
        while turn - turns[first] >= 60.0 - _BLUR:
            first += 1
        most = max(most, last - first + 1)
    return most


def _crowd(work: Callable[..., None], redis_url: str, name: str) -> list[Any]:
    context = get_context("spawn")
    told = context.SimpleQueue()
    crowd = [context.Process(target=work, args=(redis_url, name, told)) for _ in range(PROCESSES)]
    for process in crowd:
        process.start()
    found = [told.get() for _ in crowd]
    for process in crowd:
        process.join()
    return found
