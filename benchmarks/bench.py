"""The whole run: start, measure group by group, show, write."""

from __future__ import annotations

import argparse
import signal
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import ExitStack
from typing import Any, Final

from aispine.errors import AISpineError
from benchmarks import context, machine, report
from benchmarks.catalog import GROUPS, Group
from benchmarks.context import Bench
from benchmarks.row import Row

_NAMES: Final = tuple(group.name for group in GROUPS)


def main(arguments: Sequence[str] | None = None) -> int:
    """Measures what is asked for once; returns the exit code.

    It is 1 when a bar is missed or something could not be measured, and 130 after Ctrl-C.
    """
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description="Measures AI Spine on this machine.")
    parser.add_argument("groups", nargs="*", metavar="GROUP", help=f"what to measure, all unless given: {_NAMES}")
    wanted = set(parser.parse_args(arguments).groups)
    if unknown := sorted(wanted - set(_NAMES)):
        parser.error(f"there is no {', '.join(unknown)}; there are {', '.join(_NAMES)}")
    chosen = tuple(group for group in GROUPS if not wanted or group.name in wanted)
    signal.signal(signal.SIGTERM, signal.default_int_handler)  # Whoever ends it: the stack is stopped, too.
    try:
        rows = bench(chosen, whole=len(chosen) == len(GROUPS))
    except AISpineError as error:
        sys.stderr.write(f"Error: {error.message}\n")
        return 1
    except KeyboardInterrupt:
        return 130
    return 0 if all(row.ok for row in rows) else 1


def bench(groups: Sequence[Group], *, whole: bool) -> list[Row]:
    """Measures groups on stacks of their own, shows and writes what was found.

    `RESULTS.md` is written by a whole run alone.
    """
    rows: list[Row] = []
    started, strangers = time.monotonic(), machine.Strangers()
    with _Stacks() as stacks:
        described = machine.describe(stacks.of(groups[0]))
        for group in groups:
            sys.stderr.write(f"{time.monotonic() - started:5.0f} s  {group.name}\n")
            for row in _measure(stacks, group):
                report.tell(row)
                rows.append(row)
        described["strangers_share"] = round(strangers.share(), 3)
        described["took_s"] = round(time.monotonic() - started)
    report.write(rows, described)
    report.show("AI Spine on this machine", rows, described)
    if whole:
        report.publish("bench", report.lines(rows), described)
    return rows


def _measure(stacks: _Stacks, group: Group) -> Iterator[Row]:
    """Rows up to the first error, which becomes one of them: the other groups are measured all the same."""
    try:
        yield from group.measure(stacks.of(group))
    except Exception as error:  # noqa: BLE001 - it is recorded in the result.
        stacks.close()
        yield Row(name=group.name, unit="", value=None, error=f"{type(error).__name__}: {error}")


class _Stacks:
    """One stack at a time, kept for as long as the settings stay the same and nothing went wrong on it."""

    def __init__(self) -> None:
        self._resources = ExitStack()
        self._bench: Bench | None = None
        self._settings: Any = None

    def of(self, group: Group) -> Bench:
        if self._bench is None or self._settings != group.settings:
            self.close()
            self._bench = self._resources.enter_context(context.running(group.settings))
            self._settings = group.settings
        return self._bench

    def close(self) -> None:
        self._bench = None
        self._resources.close()

    def __enter__(self) -> _Stacks:
        return self

    def __exit__(self, *_error: object) -> None:
        self.close()
