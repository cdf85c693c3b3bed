"""`python -m benchmarks.chaos campaign|mutants`; the exit code is 1 when a figure is not as it must be."""

from __future__ import annotations

import argparse
import random
import sys

from aispine.errors import AISpineError
from benchmarks.chaos import campaign, report
from benchmarks.chaos.campaign import Campaign
from benchmarks.chaos.mutants import MUTANTS


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.chaos")
    parser.add_argument("what", choices=["campaign", "mutants"])
    parser.add_argument("--count", type=int, default=1000, help="executions")
    parser.add_argument("--seed", type=int, default=random.randrange(1_000_000))
    parser.add_argument("--settle", type=float, default=120.0, help="seconds to end in after the last fault")
    parser.add_argument("--keep", action="store_true", help="leave the stack's folder")
    parser.add_argument("--mutant", choices=MUTANTS, default=None)
    given = parser.parse_args()
    wanted = Campaign(count=given.count, seed=given.seed, settle=given.settle, keep=given.keep, mutant=given.mutant)
    outcome = campaign.run(wanted, lambda line: print(line, flush=True))
    report.show(outcome)
    return 1 if outcome.misses else 0


if __name__ == "__main__":
    try:
        sys.exit(main())
    except AISpineError as error:
        sys.exit(f"Error: {error.message}")
