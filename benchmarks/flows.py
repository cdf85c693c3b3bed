"""The flows that are measured, as the files a user would write; a node calls `echo` unless it says otherwise."""

from __future__ import annotations

import random
from collections.abc import Sequence
from typing import Any, Final

import yaml

from benchmarks.service import AGENT

CHAIN: Final = "bench_chain"
FAN: Final = "bench_fan"
PARALLEL: Final = "bench_parallel"
ONE: Final = "bench_one"
WIDE: Final = "bench_wide"
MAP: Final = "bench_map"
LOOP: Final = "bench_loop"
RANDOM: Final = "bench_random"
LAYERED: Final = "bench_layered"
FIBO: Final = "bench_fibo"
TIMER: Final = "bench_timer"
RETRY: Final = "bench_retry"
PENDING: Final = "bench_pending"
REMOTE: Final = "bench_remote"
MIXED: Final = "bench_mixed"
HELD: Final = "bench_held"
CALLS: Final = "bench_calls"


def chain(nodes: int, flow_id: str = CHAIN) -> str:
    """Nodes one after the other."""
    return _file(flow_id, _chain([_node(place) for place in range(nodes)]))


def fan(width: int, flow_id: str = FAN) -> str:
    """Independent nodes and one that waits for all of them."""
    return _file(flow_id, [*(_node(place) for place in range(width)), _node(width, range(width))])


def parallel(nodes: int, seconds: float, flow_id: str = PARALLEL) -> str:
    """Independent nodes that each wait `seconds`, as a call to a slow service does."""
    slow = {"pool": "io", "config": {"sleep_seconds": seconds}}
    return _file(flow_id, [_node(place) | slow for place in range(nodes)])


def one() -> str:
    """A single node."""
    return _file(ONE, [_node(0)])


def mapped() -> str:
    """One node for each item of the input."""
    return _file(MAP, [{"id": "pages", "type": "map", "items": "input.items", "body": [_node(0)]}])


def loop(iterations: int) -> str:
    """One node again and again."""
    return _file(LOOP, [{"id": "rounds", "type": "loop", "max_iterations": iterations, "body": [_node(0)]}])


def scattered(nodes: int, rng: random.Random) -> str:
    """A graph in which every node depends on up to three earlier ones."""
    return _file(RANDOM, [_node(place, sorted(rng.sample(range(place), min(place, 3)))) for place in range(nodes)])


def layered(layers: int, width: int, rng: random.Random) -> str:
    """Layers of nodes, each of which depends on two random ones of the layer before."""
    before = {layer: range((layer - 1) * width, layer * width) for layer in range(1, layers)}
    nodes = [
        _node(layer * width + place, sorted(rng.sample(before[layer], 2)) if layer else [])
        for layer in range(layers)
        for place in range(width)
    ]
    return _file(LAYERED, nodes)


def fibo(nodes: int, number: int) -> str:
    """Nodes one after the other that each compute."""
    asked = {"agent_id": "fibo", "config": {"number": number}}
    return _file(FIBO, _chain([_node(place) | asked for place in range(nodes)]))


def timer(seconds: float) -> str:
    """A timer and a node that it starts."""
    return _file(TIMER, _chain([{"id": "rest", "type": "wait", "seconds": seconds}, _node(0)]))


def retry(seconds: float) -> str:
    """A node whose first attempt fails and is tried again so many seconds later."""
    policy = {"max_attempts": 2, "backoff": "fixed", "initial_delay": seconds, "jitter": "none"}
    return _file(RETRY, [_node(0) | {"config": {"fail_first": 1}, "retry": policy}])


def pending(seconds: int, at_once: int) -> str:
    """A timer for each item of the input."""
    rest = {"id": "rest", "type": "wait", "seconds": seconds}
    held = {"id": "held", "type": "map", "items": "input.items", "max_concurrency": at_once, "body": [rest]}
    return _file(PENDING, [held])


def remote(nodes: int, seconds: float) -> str:
    """Nodes one after the other that each call an agent over HTTP."""
    asked = {"agent_id": AGENT, "config": {"sleep_seconds": seconds}}
    return _file(REMOTE, _chain([_node(place) | asked for place in range(nodes)]))


def held() -> str:
    """A node that waits for a signal which nobody sends; all others are kept."""
    return _file(HELD, [{"id": "held", "type": "wait", "signal": "over"}])


def calls(seconds: float) -> str:
    """A call to an agent over HTTP for each item of the input."""
    asked = {"agent_id": AGENT, "config": {"sleep_seconds": seconds}}
    return _file(CALLS, [{"id": "calls", "type": "map", "items": "input.items", "body": [_node(0) | asked]}])


def mixed() -> str:
    """A node in each pool, the last one over HTTP."""
    nodes = [_node(0), _node(1) | {"pool": "cpu"}, _node(2) | {"pool": "io"}, _node(3) | {"agent_id": AGENT}]
    return _file(MIXED, _chain(nodes))


def _chain(nodes: list[dict[str, Any]]) -> list[dict[str, Any]]:
    followers = zip(nodes[1:], nodes[:-1], strict=True)
    return [nodes[0], *(node | {"depends_on": [before["id"]]} for node, before in followers)]


def _node(place: int, after: Sequence[int] = ()) -> dict[str, Any]:
    node = {"id": f"n{place}", "type": "processor", "agent_id": "echo"}
    return node | ({"depends_on": [f"n{other}" for other in after]} if after else {})


def _file(flow_id: str, nodes: list[dict[str, Any]]) -> str:
    content = {"flow_id": flow_id, "version": "1.0.0", "name": flow_id, "nodes": nodes}
    return yaml.dump(content, Dumper=_FastDumper, sort_keys=False, default_flow_style=None)


_FastDumper: Final = getattr(yaml, "CSafeDumper", yaml.SafeDumper)
