"""The measures on a stack of their own, with sizes that take seconds: they must run when nobody looks after them."""

from __future__ import annotations

import pytest

from benchmarks import calls, context, crowds, growth, latencies, memory, shapes, streams
from benchmarks.catalog import GROUPS
from benchmarks.row import Row

SMALL = {
    shapes: {"WIDE": 20, "RUNS": 1, "WARM_UP": 1, "_ROUNDS": 5, "_NUMBER": 10, "_COMPUTING": 2, "_SLOW_SECONDS": 0.1},
    latencies: {"WARM_UP": 1, "_POSTS": 3, "_HEALTH_CHECKS": 5, "_DUE": 2, "_DELAY": 0.2, "_PENDING": 30},
    crowds: {
        "WARM_UP": 1,
        "_REMOTE_NODES": 2,
        "_REMOTE_SECONDS": 0.1,
        "_TOGETHER": 10,
        "_ALONE": 1,
        "_BURST": 40,
        "_SUSTAINED_SECONDS": 1.0,
        "_SETTLE_SECONDS": 0.3,
        "_CHAINS": 4,
        "_BACKLOG": 20,
    },
    streams: {"EXECUTIONS": 5, "FOLLOWERS": 4, "RATE": 10.0, "_SECONDS": 2.0, "_REST_SECONDS": 0.1},
    calls: {"CALLS": 40, "_RUNS": 1},
    growth: {"_SIZES": {10: 1, 30: 1}, "_FIRST": 20, "_LAST": 60, "_SETTLE_SECONDS": 0.1},
    memory: {"_RUNS": 1, "_SETTLE_SECONDS": 0.1},
}


def test_every_group_measures_what_it_says(monkeypatch: pytest.MonkeyPatch):
    for module, values in SMALL.items():
        for name, value in values.items():
            monkeypatch.setattr(module, name, value)
    found: dict[str, Row] = {}
    with context.running(GROUPS[-1].settings) as bench:
        for group in GROUPS:
            found |= {row.name: row for row in group.measure(bench)}
    assert {name: row.error for name, row in found.items() if row.error or row.value is None} == {}
    assert found["40 executions submitted at once, completed"].value == 40
    assert found["chain of 30, time per node"].value
    assert found["database bytes per node, chain of 10,000"].value
    assert found["20 event streams of 5 executions, readers for each execution"].value == 1
    assert found["20 event streams of 5 executions, ended with their execution"].value == 20
    rates = [row for name, row in found.items() if name.startswith("sustained")]
    assert len(rates) == 2
    assert all(row.value for row in rates)
