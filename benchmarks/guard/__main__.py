"""`python -m benchmarks.guard [PART...]`: measures and writes `build/bench-calls.json`; 1 when a bar is missed."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable, Iterator, Sequence
from typing import Final

from aispine.errors import AISpineError
from benchmarks import stack
from benchmarks.guard import crowd, overhead, waiting
from benchmarks.guard.figure import Figure
from benchmarks.report import BUILD
from benchmarks.stack import Stack

PARTS: Final[dict[str, Callable[[Stack], Iterator[Figure]]]] = {
    "overhead": overhead.measure,
    "breaker": crowd.breaker,
    "limiter": crowd.limiter,
    "waiting": waiting.measure,
    "slots": waiting.slots,
}


def main(parts: Sequence[str]) -> int:
    """Measures the parts, all unless some are named; returns the exit code."""
    figures = []
    try:
        with stack.running({}) as running:
            for name in parts or PARTS:
                for figure in PARTS[name](running):
                    figures.append(figure)
                    print(figure.line(), flush=True)
    except AISpineError as error:
        sys.stderr.write(f"Error: {error.message}\n")
        return 1
    BUILD.mkdir(exist_ok=True)
    (BUILD / "bench-calls.json").write_text(json.dumps([each.as_json() for each in figures], indent=2) + "\n", "utf-8")
    return 0 if all(figure.ok for figure in figures) else 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
