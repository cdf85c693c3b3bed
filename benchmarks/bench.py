"""The whole run: start, measure group by group, show, write."""

from __future__ import annotations

import argparse
from collections.abc import Iterator, Sequence
from contextlib import ExitStack
from typing import Any

from benchmarks import context, machine, program
from benchmarks.catalog import GROUPS, Group
from benchmarks.context import Bench
from benchmarks.program import Record
from benchmarks.row import Row


def main(arguments: Sequence[str] | None = None) -> int:
    """Measures what is asked for once; returns the exit code."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description="Measures AI Spine on this machine.")
    return program.run(parser, "GROUP", {group.name: group for group in GROUPS}, bench, arguments)


def bench(groups: Sequence[Group], whole: bool) -> Sequence[Row]:
    """Measures groups on stacks of their own, shows and writes what was found.

    `RESULTS.md` is written by a whole run alone.
    """
    record = Record()
    with _Stacks() as stacks:
        described = machine.describe(stacks.of(groups[0]))
        for group in groups:
            record.begin(group.name)
            for row in _measure(stacks, group):
                record.add(row)
        described |= record.surroundings()
    record.write("AI Spine on this machine", described, prefix="bench", part="bench" if whole else None)
    return record.rows


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
