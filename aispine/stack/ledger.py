"""The processes that a stack started, written down so that a later start ends what a killed one left."""

from __future__ import annotations

import json
import os
import signal
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from aispine.stack import home
from aispine.stack.process import Process, command_line, identity, wait_until

FILE: Final = "processes.json"


@dataclass(frozen=True, kw_only=True, slots=True)
class Entry:
    """One process: its pid, what tells it from a stranger with that pid, and how it is ended."""

    name: str
    pid: int
    identity: str
    stop_signal: int
    stop_seconds: float

    @property
    def alive(self) -> bool:
        return identity(self.pid) == self.identity


class Ledger:
    """The file of a home with the processes that run now."""

    def __init__(self, folder: Path) -> None:
        self._path = folder / FILE
        self._entries = {entry.name: entry for entry in _read(self._path)}
        self._behind = False

    def add(self, process: Process) -> None:
        """Writes down a process. Raises `OSError` when it cannot now; `catch_up` tries again."""
        known = identity(process.pid)
        if known is None:  # It has ended already.
            return
        program = process.program
        self._entries[program.name] = Entry(
            name=program.name,
            pid=process.pid,
            identity=known,
            stop_signal=int(program.stop_signal),
            stop_seconds=program.stop_seconds,
        )
        self._behind = True
        self.catch_up()

    def catch_up(self) -> None:
        """Writes down what could not be before. Raises `OSError` when it still cannot."""
        if not self._behind:
            return
        values = [{name: getattr(entry, name) for name in Entry.__slots__} for entry in self._entries.values()]
        home.write_private(self._path, json.dumps(values))
        self._behind = False

    def end_leftovers(self) -> list[str]:
        """Ends what a killed stack left running; yields the names.

        All are asked at once, the last started first, and get SIGKILL after their own limit.
        """
        left = [entry for entry in reversed(self._entries.values()) if entry.alive]
        for entry in left:
            _signal(entry.pid, entry.stop_signal)
        for entry in left:
            if not wait_until(lambda entry=entry: not entry.alive, entry.stop_seconds):  # type: ignore[misc] # bound now
                _signal(-entry.pid, signal.SIGKILL)
        self.clear()
        return [entry.name for entry in left]

    def clear(self) -> None:
        self._entries, self._behind = {}, False
        self._path.unlink(missing_ok=True)


def entries(folder: Path) -> list[Entry]:
    """What runs in a home, as its stack has written it down."""
    return _read(folder / FILE)


def end_by_pid_file(path: Path, marker: str, stop_signal: signal.Signals, seconds: float = 20.0) -> None:
    """Ends the process named by a pid file when its command line shows `marker`, then removes the file.

    So a stale file is no obstacle when its pid belongs to a stranger by now.
    """
    pid = _first_number(path)
    if pid is not None and marker in command_line(pid):
        known = identity(pid)
        _signal(pid, stop_signal)
        if not wait_until(lambda: identity(pid) != known, seconds):
            _signal(pid, signal.SIGKILL)
            wait_until(lambda: identity(pid) != known, 2.0)
    path.unlink(missing_ok=True)


def _first_number(path: Path) -> int | None:
    try:
        return int(path.read_text("utf-8").split()[0])
    except (FileNotFoundError, ValueError, IndexError):
        return None


def _signal(pid: int, number: int) -> None:
    try:
        os.kill(pid, number)
    except ProcessLookupError:
        return


def _read(path: Path) -> list[Entry]:
    try:
        return [Entry(**values) for values in json.loads(path.read_text("utf-8"))]
    except (FileNotFoundError, ValueError, TypeError):
        return []
