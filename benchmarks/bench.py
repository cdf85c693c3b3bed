"""The whole run: start, warm up, measure, show."""

from __future__ import annotations

import sys
from dataclasses import asdict

from aispine.errors import AISpineError
from benchmarks import baseline, driver, machine, measures, memory, report, stack
from benchmarks.database import Database
from benchmarks.row import Row


def main() -> int:
    """Measures everything once; returns the exit code.

    It is 1 when a bar is missed or the stack does not start, and 130 after Ctrl-C.
    """
    try:
        rows = bench()
    except AISpineError as error:
        sys.stderr.write(f"Error: {error.message}\n")
        return 1
    except KeyboardInterrupt:
        return 130
    return 0 if all(row.ok for row in rows) else 1


def bench() -> list[Row]:
    """Starts a stack of its own, measures it, shows and writes what was found."""
    with stack.running() as running, Database(running.database_url) as database:
        described = machine.describe(running, database)
        with driver.connected(running, database) as client:
            measures.prepare(client)
            # Before the heavy work and after it: what a stack needs at rest should not depend on what it has done.
            rested = memory.measure(running)
            strangers = machine.Strangers()
            with baseline.running(running) as bare:
                rows = list(measures.ratios(client, bare))
                rows += measures.large(client, bare)
            rows += measures.latencies(client)
            described["strangers_share"] = round(strangers.share(), 3)
            worked = memory.measure(running)
    rows += [memory.row("idle stack, warmed up", rested), memory.row("idle stack, after all of the above", worked)]
    described["memory"] = [asdict(process) for process in worked]
    report.write(rows, described)
    report.show(rows, described, worked)
    return rows
