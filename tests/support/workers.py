"""The worker processes of a test session: the commands that `aispine worker` runs, ended by their pids."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import psutil

from tests.support.environment import ROOT, Servers, process_environment
from tests.support.polling import eventually

NAMES = ("engine", "cpu", "io", "beat")


class Workers:
    """Running workers and beat. `logs` is what they wrote, for the report of a failed test."""

    def __init__(self, servers: Servers) -> None:
        self._servers = servers
        self._processes: dict[str, subprocess.Popen[bytes]] = {}

    def start(self, *names: str) -> None:
        """Starts those that do not run and waits until all of them are ready."""
        starting = [name for name in names or NAMES if not self.runs(name)]
        for name in starting:
            self._log(name).unlink(missing_ok=True)
            self._processes[name] = self._spawn(name)
        for name in starting:
            eventually(lambda: self._ready(name), 60, f"the start of {name}")  # noqa: B023

    def stop(self, *names: str) -> None:
        """Ends them, all asked at once; what hangs is killed with its children."""
        stopping = [self._processes.pop(name) for name in names or NAMES if name in self._processes]
        for process in stopping:
            process.terminate()
        for process in stopping:
            try:
                process.wait(15)
            except subprocess.TimeoutExpired:
                _kill(process)

    def runs(self, name: str) -> bool:
        return name in self._processes and self._processes[name].poll() is None

    @property
    def logs(self) -> str:
        return "\n".join(f"== {name}\n{self._log(name).read_text()}" for name in NAMES if self._log(name).exists())

    def _spawn(self, name: str) -> subprocess.Popen[bytes]:
        with self._log(name).open("ab") as log:
            return subprocess.Popen(
                [sys.executable, "-m", "cli", "worker", name],
                env=process_environment(self._servers),
                cwd=ROOT,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )

    def _ready(self, name: str) -> bool:
        assert self.runs(name), f"{name} ended:\n{self._log(name).read_text()}"
        return ("beat: Starting" if name == "beat" else "ready.") in self._log(name).read_text()

    def _log(self, name: str) -> Path:
        return self._servers.home / f"{name}.log"


@contextmanager
def working(servers: Servers) -> Iterator[Workers]:
    workers = Workers(servers)
    try:
        yield workers
    finally:
        workers.stop()


def _kill(process: subprocess.Popen[bytes]) -> None:
    for child in psutil.Process(process.pid).children(recursive=True):
        child.kill()
    process.kill()
    process.wait()


def pid_of(lease_owner: str) -> int:
    """The process that holds a lease; never the caller's own."""
    pid = int(lease_owner.split(":")[1])
    assert pid != os.getpid()
    return pid
