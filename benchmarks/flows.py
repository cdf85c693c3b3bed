"""The flows that are measured, as the files a user would write; every node calls `echo`."""

from __future__ import annotations

from typing import Any, Final

import yaml

CHAIN: Final = "bench_chain"
FAN: Final = "bench_fan"
PARALLEL: Final = "bench_parallel"
ONE: Final = "bench_one"


def chain(nodes: int) -> str:
    """Nodes one after the other."""
    return _file(CHAIN, [_node(place, [place - 1] if place else []) for place in range(nodes)])


def fan(width: int) -> str:
    """Independent nodes and one that waits for all of them."""
    return _file(FAN, [*(_node(place, []) for place in range(width)), _node(width, range(width))])


def parallel(nodes: int, seconds: float) -> str:
    """Independent nodes that each wait `seconds`, as a call to a slow service does."""
    slow = {"pool": "io", "config": {"sleep_seconds": seconds}}
    return _file(PARALLEL, [_node(place, []) | slow for place in range(nodes)])


def one() -> str:
    """A single node."""
    return _file(ONE, [_node(0, [])])


def _node(place: int, after: range | list[int]) -> dict[str, Any]:
    node = {"id": f"n{place}", "type": "processor", "agent_id": "echo"}
    return node | ({"depends_on": [f"n{other}" for other in after]} if after else {})


def _file(flow_id: str, nodes: list[dict[str, Any]]) -> str:
    return yaml.safe_dump({"flow_id": flow_id, "version": "1.0.0", "name": flow_id, "nodes": nodes}, sort_keys=False)
