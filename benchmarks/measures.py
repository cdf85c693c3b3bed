"""What is measured, and how often."""

from __future__ import annotations

import random
import statistics
import time
from collections.abc import Callable, Iterator
from typing import Final

from aispine.flow.plan import plan
from aispine.flow.validation import load
from benchmarks import flows
from benchmarks.baseline import Baseline
from benchmarks.driver import Driver
from benchmarks.row import Row, quantile

NODES: Final = 40
WIDE: Final = 1000
ROUNDS: Final = 100
PAIRS: Final = 5
SLOW_NODES: Final = 3
SLOW_SECONDS: Final = 1.0
_WARM_UP: Final = 6
"""Enough for both processes of a pool to have run the work at least once."""
_SLOW_RUNS: Final = 5
_POSTS: Final = 100
_POSTS_APART: Final = 0.05
_HEALTH_CHECKS: Final = 500


def prepare(driver: Driver) -> None:
    """Deploys what is measured and runs each flow until every process has seen it."""
    sources = (flows.chain(NODES), flows.fan(NODES), flows.parallel(SLOW_NODES, SLOW_SECONDS), flows.one())
    for source in sources:
        driver.deploy(source)
    for flow_id in (flows.ONE, flows.CHAIN, flows.FAN):
        for _ in range(_WARM_UP):
            driver.run(flow_id)
    driver.run(flows.PARALLEL)


def ratios(driver: Driver, baseline: Baseline) -> Iterator[Row]:
    """The same shape of work, ours and theirs in turn, from before it is sent until its end is known."""
    yield _compare(
        f"chain of {NODES}", lambda: driver.run(flows.CHAIN).noticed, lambda: baseline.chain(NODES), bar=2.0, aim=0.8
    )
    yield _compare(
        f"fan-out of {NODES} and join",
        lambda: driver.run(flows.FAN).noticed,
        lambda: baseline.fan(NODES),
        bar=1.6,
        aim=1.0,
    )


def latencies(driver: Driver) -> Iterator[Row]:
    """What a single client waits for, on a stack that does nothing else."""
    slow = [driver.run(flows.PARALLEL).noticed for _ in range(_SLOW_RUNS)]
    yield _seconds(f"{SLOW_NODES} parallel nodes of {SLOW_SECONDS:g} s, POST to completed", slow, 0.5, bar=1.2)
    runs = []
    for _ in range(_POSTS):
        runs.append(driver.run(flows.ONE))
        # An idle stack is meant: one that has put away the run before.
        time.sleep(_POSTS_APART)
    yield _seconds("POST /flows/execute, median", [run.answered for run in runs], 0.5, bar=0.05)
    started = [run.first_started for run in runs]
    yield _seconds("POST to first node started, median", started, 0.5, aim=0.015)
    yield _seconds("POST to first node started, p95", started, 0.95, bar=0.1, aim=0.04)
    yield _seconds("one node, POST to end stored, median", [run.stored for run in runs], 0.5)
    yield _seconds("one node, POST to end noticed, median", [run.noticed for run in runs], 0.5)
    checks = [driver.health() for _ in range(_HEALTH_CHECKS)]
    yield _seconds("GET /health, p99", checks, 0.99, bar=0.05)


def large(driver: Driver, baseline: Baseline) -> Iterator[Row]:
    """Work in the hundreds and thousands, and what a large flow takes before it runs."""
    for source in (flows.fan(WIDE, flows.WIDE), flows.mapped(), flows.loop(ROUNDS)):
        driver.deploy(source)
    items = {"items": list(range(WIDE))}
    yield _compare(
        f"map of {WIDE:,} items",
        lambda: driver.run(flows.MAP, items).noticed,
        lambda: baseline.fan(WIDE),
        bar=2.5,
        warm_up=1,
    )
    yield _compare(
        f"fan-out of {WIDE:,} and join",
        lambda: driver.run(flows.WIDE).noticed,
        lambda: baseline.fan(WIDE),
        aim=0.7,
        warm_up=1,
    )
    rounds = [driver.run(flows.LOOP).noticed for _ in range(PAIRS)]
    yield _seconds(f"loop of {ROUNDS} iterations, median", rounds, 0.5, bar=2.0)
    source = flows.layered(WIDE, random.Random(1))
    yield _seconds(f"validate and plan {WIDE:,} nodes, median", [_planned(source) for _ in range(PAIRS)], 0.5, bar=1.0)


def _planned(source: str) -> float:
    start = time.perf_counter()
    plan(load(source))
    return time.perf_counter() - start


def _compare(
    name: str,
    ours: Callable[[], float],
    theirs: Callable[[], float],
    *,
    bar: float | None = None,
    aim: float | None = None,
    warm_up: int = _WARM_UP,
) -> Row:
    for _ in range(warm_up):
        ours()
        theirs()
    pairs = [(ours(), theirs()) for _ in range(PAIRS)]
    found = [mine / other for mine, other in pairs]
    return Row(
        name=name,
        value=statistics.median(found),
        unit="x",
        bar=bar,
        aim=aim,
        ours_s=statistics.median(mine for mine, _ in pairs),
        theirs_s=statistics.median(other for _, other in pairs),
        spread=(min(found), max(found)),
    )


def _seconds(
    name: str, values: list[float], share: float, *, bar: float | None = None, aim: float | None = None
) -> Row:
    value = quantile(values, share)
    spread = (min(values), max(values))
    return Row(name=name, value=value, unit="s", bar=bar, aim=aim, ours_s=value, spread=spread)
