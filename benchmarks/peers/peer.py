"""One of the others: how it is installed, what it needs, and how it is told to work."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

from aispine.errors import StackError
from benchmarks.stack import Stack, environment

ROOT: Final = Path(__file__).resolve().parents[2]
ENVIRONMENTS: Final = ROOT / "build" / "peers"
_INSTALL_SECONDS: Final = 900
_ANSWER_SECONDS: Final = 120
_STOP_SECONDS: Final = 30
_TAIL: Final = 400


@dataclass(frozen=True, kw_only=True, slots=True)
class Peer:
    """`settings` are the environment variables of its program, made from our stack and a folder of its own.

    `helper` is a process that it needs besides, and how long to wait until it may be used.
    """

    name: str
    program: str
    requirement: str
    settings: Callable[[Stack, Path], Mapping[str, str]]
    helper: Callable[[Path, Mapping[str, str]], Any] | None = None
    bars: Mapping[str, float] = field(default_factory=lambda: {"chain": 1.0, "fan": 1.0})

    @property
    def folder(self) -> Path:
        return ENVIRONMENTS / self.program

    @property
    def python(self) -> Path:
        return self.folder / "bin" / "python"


class Worker:
    """A running program of a peer."""

    def __init__(self, peer: Peer, process: subprocess.Popen[str], log: Path) -> None:
        self._peer = peer
        self._process = process
        self._log = log
        self.version = str(self._hear()["ready"])

    def run(self, shape: str, size: int) -> float:
        """Seconds that a shape of this size took. Raises `StackError` with what the program says instead."""
        if self._process.stdin is None:
            raise StackError(f"{self._peer.name} cannot be told anything")
        self._process.stdin.write(f"{shape} {size}\n")
        self._process.stdin.flush()
        answer = self._hear()
        if "error" in answer:
            raise StackError(f"{self._peer.name}: {answer['error']}")
        return float(answer["took"])

    def _hear(self) -> dict[str, Any]:
        asked = time.monotonic()
        patience = threading.Timer(_ANSWER_SECONDS, self._process.kill)
        patience.start()
        line = self._process.stdout.readline() if self._process.stdout else ""
        patience.cancel()
        if not line:
            late = time.monotonic() > asked + _ANSWER_SECONDS
            ended = f"did not answer within {_ANSWER_SECONDS} s" if late else "ended"
            raise StackError(f"{self._peer.name} {ended}: {_tail(self._log)}")
        found: dict[str, Any] = json.loads(line)
        return found


def install(peer: Peer) -> None:
    """Makes the peer's environment unless it is there. Raises `StackError` with what pip says."""
    done = peer.folder / ".installed"
    if done.exists() and done.read_text("utf-8") == peer.requirement:
        return
    _call([sys.executable, "-m", "venv", "--clear", str(peer.folder)])
    _call(
        [str(peer.python), "-m", "pip", "install", "--quiet", "--disable-pip-version-check", *peer.requirement.split()]
    )
    done.write_text(peer.requirement, "utf-8")


@contextmanager
def working(peer: Peer, stack: Stack, folder: Path) -> Iterator[Worker]:
    """Yields the peer's program, with what it needs besides, as long as both run."""
    folder.mkdir(parents=True)
    settings = environment() | {"PATH": f"{peer.python.parent}{os.pathsep}{os.environ['PATH']}"}
    settings |= dict(peer.settings(stack, folder))
    with _helped(peer, settings), (folder / "log").open("w") as log:
        process = subprocess.Popen(
            [str(peer.python), "-m", f"benchmarks.peers.programs.{peer.program}"],
            cwd=ROOT,
            env=settings,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=log,
            text=True,
        )
        try:
            yield Worker(peer, process, folder / "log")
        finally:
            _stop(process)


@contextmanager
def _helped(peer: Peer, settings: Mapping[str, str]) -> Iterator[None]:
    if peer.helper is None:
        yield
    else:
        with peer.helper(peer.python, settings):
            yield


def _stop(process: subprocess.Popen[str]) -> None:
    """Its input ends, so it ends."""
    if process.stdin:
        process.stdin.close()
    try:
        process.wait(_STOP_SECONDS)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()


def _call(command: list[str]) -> None:
    try:
        done = subprocess.run(
            command, env=environment(), capture_output=True, text=True, timeout=_INSTALL_SECONDS, check=False
        )
    except subprocess.TimeoutExpired as error:
        raise StackError(f"`{' '.join(command[1:])}` took more than {_INSTALL_SECONDS} s") from error
    if done.returncode != 0:
        raise StackError(f"`{' '.join(command[1:])}` failed: {(done.stderr or done.stdout).strip()[-_TAIL:]}")


def _tail(log: Path) -> str:
    return " | ".join(log.read_text("utf-8", "replace").strip().splitlines()[-3:])[-_TAIL:]
