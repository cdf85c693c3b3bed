"""The conversation of a program with the benchmark: `chain 40` comes in, the seconds that it took go out."""

from __future__ import annotations

import json
import os
import sys
import time
import traceback
from collections.abc import Callable, Mapping
from importlib.metadata import version
from typing import TextIO


def talk(package: str, work: Mapping[str, Callable[[int], None]]) -> None:
    """Answers until the input ends: `{"ready": VERSION}` first, then `{"took": SECONDS}` or `{"error": TEXT}`."""
    answers = _own_output()
    print(json.dumps({"ready": version(package)}), file=answers, flush=True)
    for line in sys.stdin:
        name, size = line.split()
        print(json.dumps(_answer(work[name], int(size))), file=answers, flush=True)


def _answer(work: Callable[[int], None], size: int) -> dict[str, float | str]:
    start = time.perf_counter()
    try:
        work(size)
    except Exception as error:  # noqa: BLE001 - it is told.
        traceback.print_exc()
        return {"error": f"{type(error).__name__}: {error}"}
    return {"took": time.perf_counter() - start}


def _own_output() -> TextIO:
    """The output for answers alone: what anybody else prints goes where errors go."""
    answers = os.fdopen(os.dup(1), "w")
    os.dup2(2, 1)
    return answers
