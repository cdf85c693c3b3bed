"""What both programs that measure have in common: who is chosen, what is recorded, and the exit code."""

from __future__ import annotations

import argparse
import signal
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from typing import Any, TypeVar

from aispine.errors import AISpineError
from benchmarks import machine, report
from benchmarks.row import Row

Choice = TypeVar("Choice")


def run(
    parser: argparse.ArgumentParser,
    kind: str,
    choices: Mapping[str, Choice],
    measure: Callable[[Sequence[Choice], bool], Sequence[Row]],
    arguments: Sequence[str] | None = None,
) -> int:
    """Measures the choices that are named, all unless any is, and returns the exit code.

    `measure` is told whether they are all. The code is 1 when a bar is missed or something could not be measured, and
    130 after Ctrl-C.
    """
    names = tuple(choices)
    parser.add_argument("names", nargs="*", metavar=kind, help=f"what to measure, all unless given: {names}")
    wanted = set(parser.parse_args(arguments).names)
    if unknown := sorted(wanted - set(names)):
        parser.error(f"there is no {', '.join(unknown)}; there are {', '.join(names)}")
    chosen = [choice for name, choice in choices.items() if not wanted or name in wanted]
    signal.signal(signal.SIGTERM, signal.default_int_handler)  # Whoever ends it: the stack is stopped, too.
    try:
        rows = measure(chosen, len(chosen) == len(choices))
    except AISpineError as error:
        sys.stderr.write(f"Error: {error.message}\n")
        return 1
    except KeyboardInterrupt:
        return 130
    return 0 if all(row.ok for row in rows) else 1


class Record:
    """The rows of a run, each told as it comes, and how the machine was meanwhile."""

    def __init__(self) -> None:
        self.rows: list[Row] = []
        self._started = time.monotonic()
        self._strangers = machine.Strangers()

    def add(self, row: Row) -> None:
        report.tell(row)
        self.rows.append(row)

    def begin(self, name: str) -> None:
        """Says what is measured next."""
        sys.stderr.write(f"{time.monotonic() - self._started:5.0f} s  {name}\n")

    def surroundings(self) -> dict[str, Any]:
        """What others took of the machine until now, and how long it was."""
        took = round(time.monotonic() - self._started)
        return {"strangers_share": round(self._strangers.share(), 3), "took_s": took}

    def write(self, title: str, described: Mapping[str, Any], *, prefix: str, part: str | None) -> None:
        """Writes and shows the rows and what they were measured on; `part` is that of `RESULTS.md`, if any."""
        report.write(self.rows, described, prefix=prefix)
        report.show(title, self.rows, described)
        if part is not None:
            report.publish(part, report.lines(self.rows), described)
