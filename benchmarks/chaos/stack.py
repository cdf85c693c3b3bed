"""The stack of a campaign: the product's own `up` in a home of its own, and who runs in it."""

from __future__ import annotations

import contextlib
import json
import os
import shutil
import signal
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import psutil

from aispine.errors import StackError
from aispine.settings import STACK_FILE
from aispine.stack import ledger as processes
from aispine.stack.process import wait_until
from aispine.stack.redis import free_port
from benchmarks.chaos import disk, killer, ledger

_ROOT: Final = Path(__file__).resolve().parents[2]
_AGENTS: Final = Path(__file__).with_name("agents")
_START_SECONDS: Final = 120.0
_STOP_SECONDS: Final = 60.0
SETTINGS: Final[Mapping[str, str]] = {
    "AISPINE_LEASE": "2",
    "AISPINE_HEARTBEAT": "0.5",
    "AISPINE_TICK": "0.25",
    "AISPINE_MAX_LOST_ATTEMPTS": "30",
    "AISPINE_LOG_FORMAT": "json",
    "AISPINE_NODE_TIMEOUT": "60",
}
"""Losses are noticed in seconds; no node is given up for being near too many faults."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Stack:
    """A running stack; `folder` holds its home, its log and the ledgers."""

    folder: Path
    pid: int
    url: str
    api_key: str
    database_url: str
    engine_database_url: str
    redis_url: str
    small_disk: bool = False
    """Its home is a file system of its own."""

    @property
    def calls(self) -> Path:
        return self.folder / "calls.jsonl"

    @property
    def faults(self) -> Path:
        return self.folder / "faults.jsonl"

    @property
    def kills(self) -> Path:
        return self.folder / "kills"

    def program(self, name: str) -> psutil.Process | None:
        """A program of the Procfile, or a server, as it runs now; None between two lives."""
        entries = json.loads((self.folder / "home" / processes.FILE).read_text("utf-8"))
        pid = next((entry["pid"] for entry in entries if entry["name"] == name), None)
        return self.own(pid) if pid is not None else None

    def own(self, pid: int) -> psutil.Process | None:
        """The process, if it was started by this stack and still runs."""
        try:
            process = psutil.Process(pid)
            ours = any(parent.pid == self.pid for parent in process.parents())
        except psutil.NoSuchProcess:
            return None
        return process if ours and process.is_running() else None


@contextlib.contextmanager
def running(
    environment: Mapping[str, str], *, kills: bool = False, keep: bool = False, small_disk: bool = False
) -> Iterator[Stack]:
    """Yields a stack that answers and stops it at the end; with `kills` its workers look where to end themselves.

    With `small_disk` its home is a file system of its own, where the user may mount one.

    Raises `StackError` when it does not start.
    """
    folder = Path(tempfile.mkdtemp(prefix="aispine-chaos-"))
    # Run by root, PostgreSQL has a user of its own, which must be able to reach its cluster in here.
    folder.chmod(0o711)
    (folder / "kills").mkdir()
    if kills:
        environment = {**environment, killer.KILLS: str(folder / "kills")}
    try:
        with disk.mounted(folder / "home", wanted=small_disk) as mounted:
            yield from _started(folder, environment, mounted=mounted)
    finally:
        if not keep:
            shutil.rmtree(folder, ignore_errors=True)


def _started(folder: Path, environment: Mapping[str, str], *, mounted: bool) -> Iterator[Stack]:
    log = folder / "up.log"
    with log.open("wb") as output:
        process = _start(folder, environment, output.fileno())
    try:
        yield _answering(folder, process, log, mounted=mounted)
    finally:
        _stop(process)


def _start(folder: Path, environment: Mapping[str, str], output: int) -> subprocess.Popen[bytes]:
    outer = {name: value for name, value in os.environ.items() if not name.startswith(("AISPINE_", "CHAOS_"))}
    own = {
        "AISPINE_HOME": str(folder / "home"),
        "AISPINE_PORT": str(free_port()),
        "AISPINE_AGENTS_PATH": str(_AGENTS),
        "PYTHONPATH": str(_ROOT),
        ledger.CALLS: str(folder / "calls.jsonl"),
        ledger.FAULTS: str(folder / "faults.jsonl"),
    }
    return subprocess.Popen(
        [sys.executable, "-m", "benchmarks.chaos.up"],
        env={**outer, **SETTINGS, **own, **environment},
        cwd=folder,
        stdin=subprocess.DEVNULL,
        stdout=output,
        stderr=subprocess.STDOUT,
    )


def _answering(folder: Path, process: subprocess.Popen[bytes], log: Path, *, mounted: bool) -> Stack:
    """Waits for the banner, which `up` prints once the API answers."""

    def over() -> bool:
        return process.poll() is not None or b"is running" in log.read_bytes()

    if not wait_until(over, _START_SECONDS) or process.returncode is not None:
        last = " | ".join(log.read_text("utf-8", "replace").strip().splitlines()[-3:])
        raise StackError(f"the stack does not start: {last}")
    known = json.loads((folder / "home" / STACK_FILE).read_text("utf-8"))
    names = ("url", "api_key", "database_url", "engine_database_url", "redis_url")
    return Stack(folder=folder, pid=process.pid, small_disk=mounted, **{name: known[name] for name in names})


def _stop(process: subprocess.Popen[bytes]) -> None:
    """Asks twice, the second time to hurry: what still runs is of no interest any more."""
    for number, seconds in ((signal.SIGTERM, 5.0), (signal.SIGTERM, _STOP_SECONDS), (signal.SIGKILL, 10.0)):
        if process.poll() is None:
            process.send_signal(number)
            wait_until(lambda: process.poll() is not None, seconds)
