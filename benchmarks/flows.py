"""The flows that are measured, as the files a user would write; every node calls `echo`."""

from __future__ import annotations

import random
from typing import Any, Final

import yaml

CHAIN: Final = "bench_chain"
FAN: Final = "bench_fan"
PARALLEL: Final = "bench_parallel"
ONE: Final = "bench_one"
WIDE: Final = "bench_wide"
MAP: Final = "bench_map"
LOOP: Final = "bench_loop"
LAYERED: Final = "bench_layered"


def chain(nodes: int) -> str:
    """Nodes one after the other."""
    return _file(CHAIN, [_node(place, [place - 1] if place else []) for place in range(nodes)])


def fan(width: int, flow_id: str = FAN) -> str:
    """Independent nodes and one that waits for all of them."""
    return _file(flow_id, [*(_node(place, []) for place in range(width)), _node(width, range(width))])


def parallel(nodes: int, seconds: float) -> str:
    """Independent nodes that each wait `seconds`, as a call to a slow service does."""
    slow = {"pool": "io", "config": {"sleep_seconds": seconds}}
    return _file(PARALLEL, [_node(place, []) | slow for place in range(nodes)])


def one() -> str:
    """A single node."""
    return _file(ONE, [_node(0, [])])


def mapped() -> str:
    """One node for each item of the input."""
    return _file(MAP, [{"id": "pages", "type": "map", "items": "input.items", "body": [_node(0, [])]}])


def loop(iterations: int) -> str:
    """One node again and again."""
    return _file(LOOP, [{"id": "rounds", "type": "loop", "max_iterations": iterations, "body": [_node(0, [])]}])


def layered(nodes: int, rng: random.Random) -> str:
    """A graph in which every node depends on up to three earlier ones."""
    return _file(LAYERED, [_node(place, sorted(rng.sample(range(place), min(place, 3)))) for place in range(nodes)])


def _node(place: int, after: range | list[int]) -> dict[str, Any]:
    node = {"id": f"n{place}", "type": "processor", "agent_id": "echo"}
    return node | ({"depends_on": [f"n{other}" for other in after]} if after else {})


def _file(flow_id: str, nodes: list[dict[str, Any]]) -> str:
    return yaml.safe_dump({"flow_id": flow_id, "version": "1.0.0", "name": flow_id, "nodes": nodes}, sort_keys=False)
