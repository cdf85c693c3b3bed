"""Rows about how long somebody, or something that is due, waits on a stack that does little else."""

from __future__ import annotations

import time
from collections.abc import Iterator
from typing import Final

from benchmarks import flows
from benchmarks.context import Bench
from benchmarks.row import Row, seconds
from benchmarks.shapes import WARM_UP

_POSTS: Final = 100
_APART: Final = 0.05
_HEALTH_CHECKS: Final = 500
_DUE: Final = 50
_DELAY: Final = 1.0
_DUE_APART: Final = 0.1
_DUE_SECONDS: Final = 60.0
_PENDING: Final = 10_000
_FAR: Final = 3600
_FILL_SECONDS: Final = 180.0
_LATE: Final = 0.5


def posts(bench: Bench) -> Iterator[Row]:
    """What a single client waits for."""
    driver = bench.driver
    driver.deploy(flows.one())
    for _ in range(WARM_UP):
        driver.run(flows.ONE)
    runs = []
    for _ in range(_POSTS):
        runs.append(driver.run(flows.ONE))
        # An idle stack is meant: one that has put away the run before.
        time.sleep(_APART)
    yield seconds("POST /flows/execute, median", [run.answered for run in runs], 0.5, bar=0.05)
    started = [run.first_started for run in runs]
    yield seconds("POST to first node started, median", started, 0.5, bar=0.015)
    yield seconds("POST to first node started, p95", started, 0.95, bar=0.04)
    yield seconds("one node, POST to end stored, median", [run.stored for run in runs], 0.5)
    yield seconds("one node, POST to end noticed, median", [run.noticed for run in runs], 0.5)


def health(bench: Bench) -> Iterator[Row]:
    """What a load balancer waits for."""
    checks = [bench.driver.health() for _ in range(_HEALTH_CHECKS)]
    yield seconds("GET /health, p99", checks, 0.99, bar=0.05)


def due(bench: Bench) -> Iterator[Row]:
    """What is due later, on its own and beside ten thousand timers that are far from due."""
    bench.driver.deploy(flows.timer(_DELAY))
    bench.driver.deploy(flows.retry(_DELAY))
    for flow_id in (flows.TIMER, flows.RETRY) * 3:
        bench.driver.run(flow_id)
    yield from _due(bench, "idle")
    bench.driver.deploy(flows.pending(_FAR, _PENDING))
    held = bench.driver.submit(flows.PENDING, {"items": list(range(_PENDING))})
    bench.database.await_waiting(held, _PENDING, _FILL_SECONDS)
    try:
        yield from _due(bench, f"{_PENDING:,} pending")
    finally:
        bench.driver.cancel(held)


def _due(bench: Bench, beside: str) -> Iterator[Row]:
    for name, flow_id in (("timer", flows.TIMER), ("retry", flows.RETRY)):
        started = []
        for _ in range(_DUE):
            started.append(bench.driver.submit(flow_id))
            time.sleep(_DUE_APART)
        bench.database.await_idle(flow_id, _DUE_SECONDS)
        late = bench.database.late(started, retries=flow_id == flows.RETRY)
        yield seconds(f"{name} of {_DELAY:g} s, due to started, {beside}, p95", late, 0.95, bar=_LATE)
