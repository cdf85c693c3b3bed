"""`make bench-ocr`: reads drawn specimens, prints tables, writes `build/bench-ocr.json`; exits with 1 below a bar."""

from __future__ import annotations

import argparse
import json
import os
import sys
from collections.abc import Mapping
from typing import Any, Final

from benchmarks.ocr import report
from benchmarks.ocr.cases import Case, printed_cases, zone_cases
from benchmarks.ocr.score import Scored, read
from benchmarks.report import BUILD

SEVERITIES: Final = (1.5, 2.0, 2.5, 3.0)
RIGHT: Final = 0.95
SECONDS: Final = 3.0
_RESULT: Final = "bench-ocr.json"


def main() -> int:
    """Measures, shows and writes; 1 when a bar is missed."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--count", type=int, default=200, help="zones at the distortion that the bar is for")
    parser.add_argument("--beyond", type=int, default=48, help="zones at each distortion beyond it")
    parser.add_argument("--printed", type=int, default=48, help="pages without a zone")
    given = parser.parse_args()
    os.sched_setaffinity(0, {min(os.sched_getaffinity(0))})
    held = _read(zone_cases(given.count, 1.0), "zones at the stated distortion")
    beyond = {severity: _read(zone_cases(given.beyond, severity), f"x {severity}") for severity in SEVERITIES}
    printed = _read(printed_cases(given.printed, 1.0), "pages without a zone")
    report.show(held, beyond, printed)
    figures = report.figures(held, beyond, printed)
    BUILD.mkdir(parents=True, exist_ok=True)
    (BUILD / _RESULT).write_text(json.dumps(figures, indent=2) + "\n", "utf-8")
    return 0 if _holds(figures) else 1


def _read(cases: list[Case], what: str) -> list[Scored]:
    print(f"{len(cases)} {what} ...", file=sys.stderr, flush=True)
    return [read(case) for case in cases]


def _holds(figures: Mapping[str, Any]) -> bool:
    return bool(figures["zones_right"] >= RIGHT and figures["cpu_seconds_median"] <= SECONDS)


sys.exit(main())
