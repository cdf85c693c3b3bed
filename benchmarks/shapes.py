"""Rows about one execution at a time: the same shape of work, ours and a bare canvas in turn, or ours alone."""

from __future__ import annotations

import random
import time
from collections.abc import Iterator
from typing import Final

from aispine.flow.plan import plan
from aispine.flow.validation import load
from benchmarks import flows
from benchmarks.context import Bench
from benchmarks.row import Row, compare, seconds
from benchmarks.specimens.fibo.agent import fibo

NODES: Final = 40
WIDE: Final = 1000
RUNS: Final = 5
WARM_UP: Final = 6
"""Enough for both processes of a pool to have run the work at least once."""
BARE: Final = "bare Celery"
_ROUNDS: Final = 100
_LAYERS: Final = 10
_NUMBER: Final = 30
_COMPUTING: Final = 10
_SLOW_SECONDS: Final = 1.0


def chain(bench: Bench) -> Iterator[Row]:
    """A chain of 40."""
    bench.driver.deploy(flows.chain(NODES))
    yield compare(
        f"chain of {NODES}",
        lambda: bench.driver.run(flows.CHAIN).noticed,
        lambda: bench.baseline.chain(NODES),
        beside=BARE,
        pairs=2 * RUNS,
        warm_up=WARM_UP,
        bar=0.8,
        aim=0.4,
    )


def fan(bench: Bench) -> Iterator[Row]:
    """40 and a join."""
    bench.driver.deploy(flows.fan(NODES))
    yield compare(
        f"fan-out of {NODES} and join",
        lambda: bench.driver.run(flows.FAN).noticed,
        lambda: bench.baseline.fan(NODES),
        beside=BARE,
        pairs=2 * RUNS,
        warm_up=WARM_UP,
        bar=1.0,
        aim=0.6,
    )


def wide(bench: Bench) -> Iterator[Row]:
    """1,000 and a join."""
    bench.driver.deploy(flows.fan(WIDE, flows.WIDE))
    yield compare(
        f"fan-out of {WIDE:,} and join",
        lambda: bench.driver.run(flows.WIDE).noticed,
        lambda: bench.baseline.fan(WIDE),
        beside=BARE,
        pairs=RUNS,
        warm_up=2,
        bar=0.7,
        aim=0.4,
    )


def mapped(bench: Bench) -> Iterator[Row]:
    """A map of 1,000 items, which a canvas can only do as a chord that is made when the items are known."""
    bench.driver.deploy(flows.mapped())
    items = {"items": list(range(WIDE))}
    yield compare(
        f"map of {WIDE:,} items",
        lambda: bench.driver.run(flows.MAP, items).noticed,
        lambda: bench.baseline.fan(WIDE),
        beside=BARE,
        pairs=RUNS,
        warm_up=2,
        bar=2.5,
    )


def loop(bench: Bench) -> Iterator[Row]:
    """A loop of 100."""
    bench.driver.deploy(flows.loop(_ROUNDS))
    yield _alone(bench, f"loop of {_ROUNDS} iterations", flows.LOOP, bar=2.0)


def layers(bench: Bench) -> Iterator[Row]:
    """100 nodes that are no nest of chains and groups."""
    bench.driver.deploy(flows.layered(_LAYERS, _LAYERS, random.Random(1)))
    yield _alone(bench, "100 nodes in 10 layers, each on 2 of the layer before", flows.LAYERED, bar=1.0)


def planned(_bench: Bench) -> Iterator[Row]:
    """What a large flow takes before it runs."""
    source = flows.scattered(WIDE, random.Random(1))
    yield seconds(f"validate and plan {WIDE:,} nodes", [_planned(source) for _ in range(RUNS)], 0.5, bar=1.0)


def computing(bench: Bench) -> Iterator[Row]:
    """Ten agents that each keep a core busy, beside the same computation in a plain loop."""
    bench.driver.deploy(flows.fibo(_COMPUTING, _NUMBER))
    row = compare(
        f"{_COMPUTING} x fibo({_NUMBER}) in a chain",
        lambda: bench.driver.run(flows.FIBO).noticed,
        _pure,
        beside="a plain loop",
        pairs=2 * RUNS,
        warm_up=2,
        bar=1.05,
    )
    yield row


def parallel(bench: Bench) -> Iterator[Row]:
    """Agents that wait for others, all at once."""
    for nodes, bar in ((4, 1.10), (10, 1.15)):
        flow_id = f"{flows.PARALLEL}_{nodes}"
        bench.driver.deploy(flows.parallel(nodes, _SLOW_SECONDS, flow_id))
        yield _alone(bench, f"{nodes} parallel agents of {_SLOW_SECONDS:g} s", flow_id, bar=bar, warm_up=1)


def _alone(bench: Bench, name: str, flow_id: str, *, bar: float, warm_up: int = WARM_UP) -> Row:
    for _ in range(warm_up):
        bench.driver.run(flow_id)
    return seconds(f"{name}, median", [bench.driver.run(flow_id).noticed for _ in range(RUNS)], 0.5, bar=bar)


def _planned(source: str) -> float:
    start = time.perf_counter()
    plan(load(source))
    return time.perf_counter() - start


def _pure() -> float:
    start = time.perf_counter()
    for _ in range(_COMPUTING):
        fibo(_NUMBER)
    return time.perf_counter() - start
