"""A row about agents over HTTP that answer quickly, on one worker `io`. Also `python -m benchmarks.calls`."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator
from typing import Final

from benchmarks import context, flows
from benchmarks.context import Bench
from benchmarks.row import Row

CALLS: Final = 2000
SECONDS: Final = 0.02
_RUNS: Final = 3


def calls(bench: Bench) -> Iterator[Row]:
    """A map of calls of 20 ms, as many at once as the worker has threads."""
    _ = bench.endpoint
    bench.driver.deploy(flows.calls(SECONDS))
    items = {"items": list(range(CALLS))}
    bench.driver.run(flows.CALLS, items)
    took = sorted(bench.driver.run(flows.CALLS, items).noticed for _ in range(_RUNS))
    rates = [CALLS / each for each in took]
    yield Row(
        name=f"HTTP agent calls of {SECONDS * 1000:g} ms, one worker-io process",
        unit="/s",
        value=rates[_RUNS // 2],
        bar=250,
        spread=(min(rates), max(rates)),
        runs=_RUNS,
    )


def main() -> int:
    """Measures on a stack of its own and prints the row; returns the exit code."""
    with context.running({}) as bench:
        rows = list(calls(bench))
    for row in rows:
        print(json.dumps(row.as_json()))
    return 0 if all(row.ok for row in rows) else 1


if __name__ == "__main__":
    sys.exit(main())
