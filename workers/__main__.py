"""`python -m workers engine|cpu|io --concurrency N` and `python -m workers beat`: one process, until a signal."""

from __future__ import annotations

import argparse
import sys

from aispine.errors import AISpineError
from aispine.stack.worker import BEAT, POOLS
from workers import program


def main() -> int:
    """Runs the program that the arguments name; returns the exit code."""
    parser = argparse.ArgumentParser(prog="python -m workers")
    parser.add_argument("name", choices=[*POOLS, BEAT])
    parser.add_argument("--concurrency", type=int, default=1)
    given = parser.parse_args()
    try:
        return program.beat() if given.name == BEAT else program.work(given.name, given.concurrency)
    except AISpineError as error:
        sys.stderr.write(f"Error: {error.message}\n" + (f"Hint: {error.hint}\n" if error.hint else ""))
        return error.exit_code


if __name__ == "__main__":
    sys.exit(main())
