"""`python -m workers engine|cpu|io --concurrency N` and `python -m workers beat`: one process, until a signal."""

from __future__ import annotations

import argparse
import atexit
import os
import sys

from aispine.errors import AISpineError
from aispine.stack.worker import BEAT, POOLS
from workers import program


def main() -> int:
    """Runs the program that the arguments name; returns the exit code."""
    parser = argparse.ArgumentParser(prog="python -m workers")
    parser.add_argument("name", choices=[*POOLS, BEAT])
    parser.add_argument("--concurrency", type=int, default=1, help="nodes at once")
    parser.add_argument("--patience", type=float, default=program.PATIENCE, help="seconds for running nodes at the end")
    given = parser.parse_args()
    try:
        return program.beat() if given.name == BEAT else program.work(given.name, given.concurrency, given.patience)
    except AISpineError as error:
        sys.stderr.write(f"Error: {error.message}\n" + (f"Hint: {error.hint}\n" if error.hint else ""))
        return error.exit_code


if __name__ == "__main__":
    code = main()
    atexit._run_exitfuncs()  # noqa: SLF001 - the pool's temporary folder goes, the log is written out.
    # Taking every module apart would keep whoever stops us waiting, and nothing is left that it would save.
    os._exit(code)
