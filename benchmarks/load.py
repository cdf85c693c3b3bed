"""`python -m benchmarks.load`: a stack of its own under the users of `locustfile.py`, for a bounded time.

Ends with 1 when a request failed, a bar is missed, or an execution has not ended afterwards.
"""

from __future__ import annotations

import argparse
import json
import signal
import subprocess
import sys
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

from aispine.errors import AISpineError, StackError
from benchmarks import stack
from benchmarks.database import Database
from benchmarks.report import BUILD
from benchmarks.row import quantile
from benchmarks.stack import Stack, environment

_FILE: Final = Path(__file__).resolve().parent / "locustfile.py"
_RESULT: Final = "load.json"
_MOST_USERS: Final = 200
_MOST_SECONDS: Final = 600
_PER_SECOND: Final = 5
_GRACE_SECONDS: Final = 90
_END_SECONDS: Final = 60.0
_LOOK_SECONDS: Final = 0.2


def main() -> int:
    """Returns the exit code."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.load", description="Loads a stack as users do.")
    parser.add_argument("--users", type=int, default=20, help=f"how many at once, {_MOST_USERS} at most")
    parser.add_argument("--seconds", type=int, default=60, help=f"for how long, {_MOST_SECONDS} at most")
    chosen = parser.parse_args()
    if not 1 <= chosen.users <= _MOST_USERS or not 1 <= chosen.seconds <= _MOST_SECONDS:
        parser.error(f"--users goes from 1 to {_MOST_USERS}, --seconds from 1 to {_MOST_SECONDS}")
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    try:
        with stack.running({}) as running:
            return _load(running, chosen.users, chosen.seconds)
    except AISpineError as error:
        sys.stderr.write(f"Error: {error.message}\n")
        return 1
    except KeyboardInterrupt:
        return 130


def _load(running: Stack, users: int, seconds: int) -> int:
    bounds = ["--users", str(users), "--spawn-rate", str(_PER_SECOND), "--run-time", f"{seconds}s"]
    BUILD.mkdir(exist_ok=True)
    result = BUILD / _RESULT
    command = [sys.executable, "-m", "locust", "--locustfile", str(_FILE), "--host", running.url, "--headless"]
    code = subprocess.run(
        [*command, *bounds, "--stop-timeout", "30", "--only-summary", "--json-file", str(result.with_suffix(""))],
        env=environment() | {"AISPINE_API_KEY": running.api_key},
        timeout=seconds + _GRACE_SECONDS,
        check=False,
    ).returncode
    lines = json.loads(result.read_text("utf-8"))
    failed = sum(line["num_failures"] for line in lines)
    for line in sorted(lines, key=lambda line: -line["num_requests"]):
        print(_told(line))
    print(
        f"{sum(line['num_requests'] for line in lines):,} requests, {failed} failed; build/{_RESULT} has all figures."
    )
    _await_ends(running)
    return 1 if code or failed else 0


def _told(line: Mapping[str, Any]) -> str:
    """One kind of request: how many, how many of them failed, and how long the answers took."""
    times = [float(taken) for taken, count in line["response_times"].items() for _ in range(count)]
    took = f"median {quantile(times, 0.5):5.0f} ms, p95 {quantile(times, 0.95):5.0f} ms" if times else ""
    return f"{line['num_requests']:6,} {line['name']:32} {line['num_failures']:3} failed  {took}"


def _await_ends(running: Stack) -> None:
    """Every execution ends by itself: a user who is gone leaves none that waits. Raises `StackError` otherwise."""
    with Database(running.database_url) as database:
        deadline = time.monotonic() + _END_SECONDS
        counts: dict[str, Any] = {}
        while time.monotonic() < deadline:
            counts = dict(database.all_statuses())
            if not counts.keys() & {"queued", "running"}:
                print(f"Executions: {', '.join(f'{count:,} {status}' for status, count in sorted(counts.items()))}.")
                return
            time.sleep(_LOOK_SECONDS)
    raise StackError(f"some executions have not ended: {counts}")


if __name__ == "__main__":
    sys.exit(main())
