"""`python -m benchmarks.profiler`: where the time of one node of a chain goes, with and without running ahead."""

from __future__ import annotations

import signal
import subprocess
import sys
import tempfile
import time
from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from aispine.errors import AISpineError, StackError
from benchmarks import context, flows, machine, memory, report
from benchmarks.context import Bench
from benchmarks.shapes import NODES, WARM_UP

_SECONDS: Final = 10
_RATE: Final = 250
_TASK: Final = "fast_trace_task"
_BEFORE: Final = {"AISPINE_AHEAD": "0"}
_AFTER: Final[Mapping[str, str]] = {}
_KINDS: Final = (
    ("SQL", ("psycopg2/", "sqlalchemy/", "aispine/store/prepared.py")),
    ("broker", ("kombu/", "redis/", "aispine/engine/canvas.py", "aispine/events/waker.py")),
    ("agent", ("aispine/agent/",)),
    ("JSON", ("json/encoder.py", "json/decoder.py", "json/__init__.py", "psycopg2/_json.py")),
)
_OTHER: Final = "the engine's Python"


@dataclass(frozen=True, kw_only=True, slots=True)
class Profile:
    """Milliseconds for one node, by the clock and by program of the processors; shares of the task, by kind of work."""

    clock: float
    processors: Mapping[str, float]
    task: Mapping[str, float]


def main() -> int:
    """Returns the exit code."""
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    try:
        described: dict[str, Any] = {}
        started, strangers = time.monotonic(), machine.Strangers()
        found = []
        for settings in (_BEFORE, _AFTER):
            with context.running(settings) as bench:
                described = described or machine.describe(bench)
                found.append(_profile(bench))
        described["strangers_share"] = round(strangers.share(), 3)
        described["took_s"] = round(time.monotonic() - started)
        lines = _lines(*found)
        print("\n".join(lines))
        report.publish("profile", lines, described)
    except AISpineError as error:
        sys.stderr.write(f"Error: {error.message}\n")
        return 1
    except KeyboardInterrupt:
        return 130
    return 0


def _profile(bench: Bench) -> Profile:
    """Chains, one after the other: first the clock and the processors, then the same under py-spy."""
    bench.driver.deploy(flows.chain(NODES))
    for _ in range(2 * WARM_UP):
        bench.driver.run(flows.CHAIN)
    before = _processors(bench)
    nodes, clock = _chains(bench)
    after = _processors(bench)
    spent = {program: 1000 * (after[program] - before[program]) / nodes for program in after}
    with tempfile.TemporaryDirectory() as folder:
        raw = Path(folder) / "raw"
        with _recorded(bench, raw):
            _chains(bench)
        return Profile(clock=1000 * clock / nodes, processors=spent, task=_by_kind(raw))


def _chains(bench: Bench) -> tuple[int, float]:
    """Nodes that were run, and the seconds that it took."""
    start, runs = time.perf_counter(), 0
    while time.perf_counter() - start < _SECONDS:
        bench.driver.run(flows.CHAIN)
        runs += 1
    return runs * NODES, time.perf_counter() - start


def _processors(bench: Bench) -> Mapping[str, float]:
    """Seconds of processors that each program has taken so far."""
    sums: defaultdict[str, float] = defaultdict(float)
    for process, program in memory.processes(bench.stack):
        times = process.cpu_times()
        sums[program] += times.user + times.system
    return sums


class _recorded:  # noqa: N801 - it reads as what it is, a context.
    """py-spy looks at the worker `engine` and its children, waits included, until the block ends."""

    def __init__(self, bench: Bench, raw: Path) -> None:
        # The first one of a program is the parent of the others.
        pid = str(next(process.pid for process, program in memory.processes(bench.stack) if program == "worker"))
        options = ["--subprocesses", "--idle", "--rate", str(_RATE), "--format", "raw", "--output", str(raw)]
        self._command = [str(Path(sys.executable).parent / "py-spy"), "record", *options, "--pid", pid]

    def __enter__(self) -> None:
        self._process = subprocess.Popen(self._command, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True)
        time.sleep(1)

    def __exit__(self, *_error: object) -> None:
        self._process.send_signal(signal.SIGINT)
        _, said = self._process.communicate(timeout=60)
        if self._process.returncode != 0:
            raise StackError(f"py-spy: {said.strip()[-300:]}")


def _by_kind(raw: Path) -> Mapping[str, float]:
    """Per cent of what lies below Celery's task, by what the innermost frame that tells belongs to.

    Shares and not times: a sampler that gets too little of a busy machine misses samples, of all kinds alike.
    """
    counts: Counter[str] = Counter()
    for frames, samples in _samples(raw):
        if any(frame.startswith(_TASK) for frame in frames):
            counts[_kind(frames)] += samples
    return {kind: 100 * samples / counts.total() for kind, samples in counts.items()}


def _samples(raw: Path) -> Iterator[tuple[list[str], int]]:
    for line in raw.read_text("utf-8").splitlines():
        frames, _, samples = line.rpartition(" ")
        yield frames.split(";"), int(samples)


def _kind(frames: list[str]) -> str:
    for frame in reversed(frames):
        for kind, places in _KINDS:
            if any(place in frame for place in places):
                return kind
    return _OTHER


def _lines(before: Profile, after: Profile) -> list[str]:
    programs = sorted(before.processors.keys() | after.processors.keys())
    kinds = sorted(before.task.keys() | after.task.keys())
    return [
        report.line(["milliseconds for one node of a chain of 40", "each end on its own", "running ahead"]),
        report.line(["---", "---:", "---:"]),
        _both("by the clock, POST to end", before.clock, after.clock),
        *(
            _both(f"processors: {name}", before.processors.get(name, 0), after.processors.get(name, 0))
            for name in programs
        ),
        *(
            _both(f"in the worker's task, per cent: {kind}", before.task.get(kind, 0), after.task.get(kind, 0))
            for kind in kinds
        ),
    ]


def _both(name: str, before: float, after: float) -> str:
    return report.line([name, f"{before:.3f}", f"{after:.3f}"])


if __name__ == "__main__":
    sys.exit(main())
