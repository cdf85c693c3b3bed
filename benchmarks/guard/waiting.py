"""10,000 calls that wait on the limit of an agent, in a real stack: when each of them comes to the agent."""

from __future__ import annotations

import time
from collections.abc import Iterator, Sequence
from typing import Any, Final

import requests

from benchmarks.guard import agent
from benchmarks.guard.agent import Seen
from benchmarks.guard.figure import Figure
from benchmarks.stack import Stack

_CALLS: Final = 10_000
_PER_MINUTE: Final = 6_000
_PATIENCE: Final = 300.0
_FLOW: Final = f"""
flow_id: bench-waiting
version: 1.0.0
name: Calls that wait for their turn
nodes:
  - id: each
    type: map
    items: input.items
    max_concurrency: {_CALLS}
    body:
      - {{id: ask, type: processor, agent_id: limited, input: {{number: "${{item}}"}}}}
"""


def measure(stack: Stack) -> Iterator[Figure]:
    """The rate at which they come, and how far any comes from its place in the order of arrival."""
    with agent.serving("limited", {"requests_per_minute": _PER_MINUTE}) as served, requests.Session() as api:
        api.headers["Authorization"] = f"Bearer {stack.api_key}"
        _post(api, f"{stack.url}/api/v1/agents", json={"endpoint": served.url})
        _post(api, f"{stack.url}/api/v1/flows", data=_FLOW, headers={"Content-Type": "application/yaml"})
        body = {"flow_id": "bench-waiting", "input_data": {"items": list(range(_CALLS))}}
        begun = _post(api, f"{stack.url}/api/v1/flows/execute", json=body)
        _wait(api, f"{stack.url}/api/v1/executions/{begun['execution_id']}")
        yield from _figures(served.seen())


def _figures(seen: Seen) -> Iterator[Figure]:
    burst = max(5, int(_PER_MINUTE * 0.05))
    numbers = [value["number"] for _, value in seen]
    # The burst goes out at once and not one after the other: it says nothing about rate and order.
    waited = [at for at, value in seen if value["number"] >= burst]
    rate = (len(waited) - 1) / (waited[-1] - waited[0])
    allowed, lag = _PER_MINUTE / 60, sorted(_places([number for number in numbers if number >= burst], burst))
    yield Figure(name="waiting: calls that came, each once", value=len(set(numbers)), least=_CALLS, most=len(numbers))
    yield Figure(name="waiting: rate, of the one that is allowed", value=rate / allowed, least=0.95, most=1.05)
    yield Figure(name="waiting: busiest second, of what is allowed", value=_busiest(waited) / allowed)
    yield Figure(name="waiting: places that a call was off its own, p99", value=lag[int(len(lag) * 0.99)])
    yield Figure(name="waiting: places that a call was off its own, at most", value=lag[-1])


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
    answer = api.post(url, timeout=60, **asked)
    answer.raise_for_status()
    return answer.json()


def _wait(api: requests.Session, url: str) -> None:
    until = time.monotonic() + _PATIENCE
    while (status := api.get(url, timeout=60).json()["status"]) in {"queued", "running"}:
        assert time.monotonic() < until, "the calls did not end in time"
        time.sleep(1.0)
    assert status == "completed", status
