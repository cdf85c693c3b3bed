"""Calls that wait on a limit of an agent, in a real stack: when each of them comes to the agent."""

from __future__ import annotations

import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any, Final

import requests

from benchmarks.guard import agent
from benchmarks.guard.agent import Agent, Seen
from benchmarks.guard.figure import Figure
from benchmarks.stack import Stack

_CALLS: Final = 10_000
_PER_MINUTE: Final = 3_000
"""Less than two cores can do, so that the limit is what is measured."""
_PATIENCE: Final = 600.0
_SLOTS: Final = 8
_CROWD: Final = 2_000
_TAKES: Final = 0.05
"""Seconds of a call, where it matters how many are under way at once."""
_FLOW: Final = f"""
flow_id: bench-AGENT
version: 1.0.0
name: Calls that wait
nodes:
  - id: each
    type: map
    items: input.items
    max_concurrency: {_CALLS}
    body:
      - {{id: ask, type: processor, agent_id: AGENT, input: {{number: "${{item}}"}}}}
"""


def measure(stack: Stack) -> Iterator[Figure]:
    """The rate at which they come, and how far any comes from its place in the order of arrival."""
    limit = {"requests_per_minute": _PER_MINUTE}
    with agent.serving("limited", rate_limit=limit) as served, _api(stack) as api:
        yield from _figures(_crowd(api, stack, "limited", served, _CALLS))
        yield from _failures(api, f"{stack.url}/api/v1/agents/limited/metrics")


def slots(stack: Stack) -> Iterator[Figure]:
    """How many are under way at once, in what order they come, and what share of the time the slots are used."""
    limits = {"max_concurrency": _SLOTS, "rate_limit": {"requests_per_minute": 1_000_000}}
    with agent.serving("narrow", _TAKES, **limits) as served, _api(stack) as api:
        seen = _crowd(api, stack, "narrow", served, _CROWD)
    firsts = list(dict.fromkeys(value["number"] for _, value, _ in seen))
    lag = sorted(_places(firsts, 0))
    used = len(seen) * _TAKES / (_SLOTS * (seen[-1][0] + _TAKES - seen[0][0]))
    yield Figure(name="slots: calls that came", value=len(firsts), least=_CROWD, most=_CROWD)
    yield Figure(name="slots: calls at once", value=max(at_once for *_, at_once in seen), least=_SLOTS, most=_SLOTS)
    yield Figure(name="slots: places that a call was off its own, at most", value=lag[-1], most=2 * _SLOTS)
    yield Figure(name="slots: share of the time in which they are used", value=used)


@contextmanager
def _api(stack: Stack) -> Iterator[requests.Session]:
    with requests.Session() as api:
        api.headers["Authorization"] = f"Bearer {stack.api_key}"
        yield api


def _crowd(api: requests.Session, stack: Stack, agent_id: str, served: Agent, calls: int) -> Seen:
    """Registers the agent and calls it so often at once; returns what it saw."""
    _post(api, f"{stack.url}/api/v1/agents", json={"endpoint": served.url})
    flow = _FLOW.replace("AGENT", agent_id)
    _post(api, f"{stack.url}/api/v1/flows", data=flow, headers={"Content-Type": "application/yaml"})
    body = {"flow_id": f"bench-{agent_id}", "input_data": {"items": list(range(calls))}}
    begun = _post(api, f"{stack.url}/api/v1/flows/execute", json=body)
    _wait(api, f"{stack.url}/api/v1/executions/{begun['execution_id']}")
    return served.seen()


def _figures(seen: Seen) -> Iterator[Figure]:
    burst = max(5, int(_PER_MINUTE * 0.05))
    # The burst goes out at once and not one after the other: it says nothing about rate and order.
    waited = [at for at, value, _ in seen if value["number"] >= burst]
    rate = (len(waited) - 1) / (waited[-1] - waited[0])
    # A call that is made again has a turn of its own, at the end: the first one says where it stood.
    firsts = list(dict.fromkeys(value["number"] for _, value, _ in seen))
    allowed, lag = _PER_MINUTE / 60, sorted(_places([number for number in firsts if number >= burst], burst))
    yield Figure(name="waiting: calls that came", value=len(firsts), least=_CALLS, most=_CALLS)
    yield Figure(name="waiting: calls that came once more", value=len(seen) - len(firsts))
    yield Figure(name="waiting: rate, of the one that is allowed", value=rate / allowed, least=0.95, most=1.05)
    yield Figure(name="waiting: busiest second, of what is allowed", value=_busiest(waited) / allowed)
    # Who has had his turn is called on one of many threads: within a second's worth of calls it is the same turn.
    yield Figure(name="waiting: places that a call was off its own, p99", value=lag[int(len(lag) * 0.99)], most=allowed)
    yield Figure(name="waiting: places that a call was off its own, at most", value=lag[-1])


def _failures(api: requests.Session, url: str) -> Iterator[Figure]:
    """Why calls were made again, as the metrics of the agent have it."""
    for version in _read(api.get(url, timeout=60))["versions"]:
        for code, count in version["errors"].items():
            yield Figure(name=f"waiting: calls that failed with {code}", value=count)


def _busiest(times: Sequence[float]) -> int:
    most, first = 0, 0
    for last, at in enumerate(times):
        while at - times[first] >= 1.0:
            first += 1
        most = max(most, last - first + 1)
    return most


def _places(numbers: Sequence[int], first: int) -> list[int]:
    return [abs(number - first - place) for place, number in enumerate(numbers)]


def _post(api: requests.Session, url: str, **asked: Any) -> Any:
    return _read(api.post(url, timeout=60, **asked))


def _read(answer: requests.Response) -> Any:
    answer.raise_for_status()
    return answer.json()


def _wait(api: requests.Session, url: str) -> None:
    until = time.monotonic() + _PATIENCE
    while (status := api.get(url, timeout=60).json()["status"]) in {"queued", "running"}:
        assert time.monotonic() < until, "the calls did not end in time"
        time.sleep(1.0)
    assert status == "completed", status
