"""Rows about what grows: the time and the bytes of a node with the size of its flow, memory with what was done."""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable, Iterator, Mapping
from typing import Final

from aispine.errors import StackError
from benchmarks import clients, flows, memory
from benchmarks.clients import Leave
from benchmarks.context import Bench
from benchmarks.memory import Memory
from benchmarks.row import Row

_SIZES: Final = {100: 9, 300: 9, 1000: 5, 3000: 3, 10_000: 2}
"""Runs of each size: a small one is easily disturbed, a large one is many nodes already."""
_ALONE: Final = 15
"""Runs of a flow of one node, whose time is what every flow takes however many nodes it has."""
_FIRST: Final = 2000
_LAST: Final = 10_000
_AT_ONCE: Final = 200
"""Executions that are open at once when memory is measured."""
_MIXED_SHARE: Final = 0.1
_CLIENTS: Final = 8
_END_SECONDS: Final = 300.0
_SETTLE_SECONDS: Final = 5.0
_ROUND_SECONDS: Final = 35.0
"""What beat does every half minute has been done once by then, and has loaded what it needs."""
_FLAT: Final = 20.0
_SMALL: Final = 1.0
"""Megabytes below which growth is a matter of some pages."""


def nodes(bench: Bench) -> Iterator[Row]:
    """The time of a node in flows of 100 to 10,000, in a chain and in a map, and its bytes in the database."""
    yield from _chains(bench)
    yield from _maps(bench)


def _chains(bench: Bench) -> Iterator[Row]:
    def flow(count: int) -> Callable[[], float]:
        flow_id = f"{flows.CHAIN}_{count}"
        bench.driver.deploy(flows.chain(count, flow_id))
        return lambda: bench.driver.run(flow_id).noticed

    yield from _sizes(bench, "chain", flow)


def _maps(bench: Bench) -> Iterator[Row]:
    bench.driver.deploy(flows.mapped())

    def flow(count: int) -> Callable[[], float]:
        items = {"items": list(range(count))}
        return lambda: bench.driver.run(flows.MAP, items).noticed

    yield from _sizes(bench, "map", flow)


def _sizes(bench: Bench, name: str, flow: Callable[[int], Callable[[], float]]) -> Iterator[Row]:
    """Runs flows of all sizes and tells what a node more takes than a flow of one node, and its bytes."""
    alone, taken, size = _median(flow(1), _ALONE), {}, 0.0
    for count, runs in _SIZES.items():
        run = flow(count)
        run()
        run()
        before = bench.database.size()
        taken[count] = (_median(run, runs) - alone) / (count - 1)
        size = (bench.database.size() - before) / (runs * count)
    yield Row(name=f"{name} of 1", unit="s", value=alone, runs=_ALONE)
    yield from _grown(name, taken)
    yield Row(name=f"database bytes per node, {name} of {max(_SIZES):,}", unit="B", value=size)


def _median(run: Callable[[], float], runs: int) -> float:
    return statistics.median(run() for _ in range(runs))


def _grown(name: str, taken: Mapping[int, float]) -> Iterator[Row]:
    """The time of a node in each size, and the one that is farthest from their middle."""
    middle = statistics.median(taken.values())
    away = [100 * (each / middle - 1) for each in taken.values()]
    for count, each in taken.items():
        yield Row(name=f"{name} of {count:,}, time per node", unit="s", value=each)
    yield Row(
        name=f"{name} of 100 to 10,000, time per node off the middle",
        unit="%",
        value=max(map(abs, away)),
        bar=_FLAT,
        spread=(min(away), max(away)),
        runs=sum(_SIZES.values()),
    )


def processes(bench: Bench) -> Iterator[Row]:
    """What each process has grown by between 2,000 and 10,000 executions, with no child ever replaced."""
    _ = bench.endpoint
    bench.driver.deploy(flows.one())
    bench.driver.deploy(flows.mixed())
    _executed(bench, _FIRST)
    time.sleep(_ROUND_SECONDS)
    before = {each.pid: each for each in memory.measure(bench.stack)}
    _executed(bench, _LAST - _FIRST)
    after = {each.pid: each for each in memory.measure(bench.stack)}
    both = sorted(before.keys() & after.keys())
    grown = {pid: _growth(before[pid], after[pid]) for pid in both}
    worst = max(grown, key=lambda pid: grown[pid])
    replaced = sorted(before[pid].program for pid in before.keys() - after.keys() if before[pid].program != "postgres")
    yield Row(
        name=f"memory of a process, {_FIRST:,} to {_LAST:,} executions, most: {_title(after[worst])}",
        unit="%",
        value=grown[worst],
        bar=10.0,
        spread=(min(grown.values()), max(grown.values())),
        runs=len(grown),
        error=f"ended meanwhile: {', '.join(replaced)}" if replaced else None,
    )
    sums = [sum(found[pid].uss for pid in both) for found in (before, after)]
    yield Row(
        name=f"memory of all {len(both)} processes, {_FIRST:,} to {_LAST:,} executions",
        unit="%",
        value=100 * (sums[1] / sums[0] - 1),
    )


def _growth(before: Memory, after: Memory) -> float:
    """In per cent of what it had; less than a megabyte is no growth."""
    grown = after.uss - before.uss
    return 0.0 if abs(grown) < _SMALL else 100 * grown / before.uss


def _title(process: Memory) -> str:
    return f"{process.program} {process.uss:.0f} MB"


def _executed(bench: Bench, count: int) -> None:
    """So many executions, a tenth of which use every pool; a queue without bound would be measured instead of them."""
    for _ in range(count // _AT_ONCE):
        mixed = round(_AT_ONCE * _MIXED_SHARE)
        for flow_id, wanted in ((flows.MIXED, mixed), (flows.ONE, _AT_ONCE - mixed)):
            crowd = clients.submit(bench.stack, flow_id, clients=_CLIENTS, going_on=Leave(wanted))
            if crowd.errors:
                raise StackError(crowd.errors[0])
            bench.database.await_idle(flow_id, _END_SECONDS)
    time.sleep(_SETTLE_SECONDS)
