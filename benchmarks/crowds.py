"""Rows about many executions at once."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from typing import Final

from aispine.errors import StackError
from benchmarks import clients, flows, prober
from benchmarks.clients import Crowd, Leave
from benchmarks.context import Bench
from benchmarks.row import Row, seconds
from benchmarks.shapes import NODES, WARM_UP

_REMOTE_NODES: Final = 5
_REMOTE_SECONDS: Final = 1.0
_TOGETHER: Final = 100
_ALONE: Final = 3
_BURST: Final = 1000
_CLIENTS: Final = 16
_END_SECONDS: Final = 120.0
_SUSTAINED_SECONDS: Final = 60.0
_SETTLE_SECONDS: Final = 3.0
_CHAINS: Final = 16
_BACKLOG: Final = 200
_LOOK: Final = 0.04


def together(bench: Bench) -> Iterator[Row]:
    """A hundred executions that wait for others, beside one alone."""
    _ = bench.endpoint
    bench.driver.deploy(flows.remote(_REMOTE_NODES, _REMOTE_SECONDS))
    bench.driver.run(flows.REMOTE)
    alone = sorted(bench.driver.run(flows.REMOTE).stored for _ in range(_ALONE))[_ALONE // 2]
    slowest = [max(_crowd(bench, flows.REMOTE, _TOGETHER)) for _ in range(2)]
    row_name = f"{_TOGETHER} executions at once, {_REMOTE_NODES} HTTP agents of {_REMOTE_SECONDS:g} s, slowest"
    yield Row(
        name=row_name,
        unit="x",
        value=max(slowest) / alone,
        bar=1.3,
        ours_s=max(slowest),
        theirs_s=alone,
        theirs="one alone",
        spread=(min(slowest) / alone, max(slowest) / alone),
        runs=len(slowest),
    )


def burst(bench: Bench) -> Iterator[Row]:
    """A thousand executions submitted at once, while a load balancer asks for the health."""
    bench.driver.deploy(flows.one())
    for _ in range(WARM_UP):
        bench.driver.run(flows.ONE)
    with prober.probing(bench.stack) as probe:
        start = time.perf_counter()
        crowd = clients.submit(bench.stack, flows.ONE, clients=_CLIENTS, going_on=Leave(_BURST))
        submitted = time.perf_counter() - start
        bench.database.await_idle(flows.ONE, _END_SECONDS)
        over = time.perf_counter() - start
        checks = probe.end()
    completed = bench.database.statuses(crowd.started).get("completed", 0)
    name = f"{_BURST:,} executions submitted at once"
    refused = f"{len(crowd.errors)} refused, first: {crowd.errors[0]}" if crowd.errors else None
    yield Row(name=f"{name}, completed", unit="", value=completed, bar=_BURST, error=refused)
    yield Row(name=f"{name}, submit rate", unit="/s", value=_BURST / submitted, bar=150)
    yield seconds(f"{name}, /health meanwhile, p95", checks, 0.95, bar=0.05)
    yield seconds(f"{name}, POST, p95", crowd.seconds, 0.95)
    yield Row(name=f"{name}, until all have ended", unit="s", value=over, ours_s=over)


def sustained(bench: Bench) -> Iterator[Row]:
    """A minute at the limit."""
    bench.driver.deploy(flows.chain(NODES))
    yield _sustained(
        bench, flows.CHAIN, "node.completed", f"sustained for {_SUSTAINED_SECONDS:g} s, nodes in chains", _CHAINS, 1000
    )
    bench.driver.deploy(flows.one())
    yield _sustained(
        bench,
        flows.ONE,
        "execution.completed",
        f"sustained for {_SUSTAINED_SECONDS:g} s, executions of one node over REST",
        _BACKLOG,
        100,
    )


def _crowd(bench: Bench, flow_id: str, count: int) -> list[float]:
    """Seconds of each of so many executions that were submitted together, from its acceptance to its end."""
    crowd = clients.submit(bench.stack, flow_id, clients=_CLIENTS, going_on=Leave(count))
    if crowd.errors:
        raise StackError(f"{len(crowd.errors)} of {count} were refused, first: {crowd.errors[0]}")
    bench.database.await_idle(flow_id, _END_SECONDS)
    completed = bench.database.statuses(crowd.started).get("completed", 0)
    if completed != count:
        raise StackError(f"{completed} of {count} executions of {flow_id} completed")
    return bench.database.took(crowd.started)


def _sustained(bench: Bench, flow_id: str, event: str, name: str, backlog: int, bar: float) -> Row:
    """Events of a type per second, with as many executions open as `backlog` says."""
    gate = _Gate(lambda: bench.database.open(flow_id), backlog)
    met: list[Crowd] = []
    feeder = threading.Thread(
        target=lambda: met.append(clients.submit(bench.stack, flow_id, clients=4, going_on=gate)), daemon=True
    )
    feeder.start()
    gate.keep_open_for(_SETTLE_SECONDS)
    since = time.time()
    gate.keep_open_for(_SUSTAINED_SECONDS)
    until = time.time()
    gate.shut()
    feeder.join()
    bench.database.await_idle(flow_id, _END_SECONDS)
    counted = bench.database.counted(event, since, until)
    errors = [error for crowd in met for error in crowd.errors]
    return Row(
        name=name,
        unit="/s",
        value=counted / (until - since),
        bar=bar,
        error=f"{len(errors)} refused, first: {errors[0]}" if errors else None,
    )


class _Gate:
    """Lets clients submit while fewer executions are open than the backlog may have."""

    def __init__(self, open_now: Callable[[], int], backlog: int) -> None:
        self._open_now = open_now
        self._backlog = backlog
        self._free = threading.Semaphore(0)
        self._shut = threading.Event()
        self._given = 0

    def __call__(self) -> bool:
        while not self._free.acquire(timeout=_LOOK):
            if self._shut.is_set():
                return False
        return not self._shut.is_set()

    def keep_open_for(self, seconds: float) -> None:
        """Looks how many are open, again and again, and gives leave for what is missing."""
        deadline = time.monotonic() + seconds
        while time.monotonic() < deadline:
            # What has leave and is not accepted yet is open too, or is seen at the next look.
            missing = self._backlog - self._open_now() - self._free._value  # noqa: SLF001
            if missing > 0:
                self._free.release(missing)
            time.sleep(_LOOK)

    def shut(self) -> None:
        self._shut.set()
