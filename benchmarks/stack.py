"""The stack that is measured: `aispine up`, started as a user starts it, in a home of its own."""

from __future__ import annotations

import contextlib
import json
import os
import shutil
import signal
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from aispine.errors import StackError
from aispine.settings import STACK_FILE
from aispine.stack.process import wait_until
from aispine.stack.redis import free_port

_START_SECONDS: Final = 120.0
_PATIENT_SECONDS: Final = 5.0
_STOP_SECONDS: Final = 60.0
_DISK: Final = Path("/var/tmp")
"""Where the home goes if it can: `/tmp` is memory on many machines, and there fsync costs nothing."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Stack:
    """A running stack; `pid` is that of `aispine up`."""

    home: Path
    pid: int
    url: str
    api_key: str
    database_url: str
    redis_url: str


@contextlib.contextmanager
def running(settings: Mapping[str, str]) -> Iterator[Stack]:
    """Yields a stack that answers and stops it at the end. Raises `StackError` when it does not start.

    `settings` are environment variables; what they leave out is as it comes.
    """
    with _home() as home:
        log = home.parent / "up.log"
        with log.open("wb") as output:
            process = _start(home, settings, output.fileno())
        try:
            yield _answering(home, process, log)
        finally:
            _stop(process)


def environment() -> dict[str, str]:
    """This environment without any setting of the product, so that every run measures the defaults."""
    return {name: value for name, value in os.environ.items() if not name.startswith("AISPINE_")}


@contextlib.contextmanager
def _home() -> Iterator[Path]:
    folder = Path(tempfile.mkdtemp(prefix="aispine-bench-", dir=_DISK if os.access(_DISK, os.W_OK) else None))
    # Run by root, PostgreSQL has a user of its own, which must be able to reach its cluster in here.
    folder.chmod(0o711)
    try:
        yield folder / "home"
    finally:
        # A figure that was measured is worth more than a folder that could not be removed.
        shutil.rmtree(folder, ignore_errors=True)


def _start(home: Path, settings: Mapping[str, str], output: int) -> subprocess.Popen[bytes]:
    command = [str(Path(sys.executable).parent / "aispine"), "up", "--port", str(free_port())]
    return subprocess.Popen(
        command,
        env=environment() | dict(settings) | {"AISPINE_HOME": str(home)},
        cwd=home.parent,
        stdin=subprocess.DEVNULL,
        stdout=output,
        stderr=subprocess.STDOUT,
    )


def _answering(home: Path, process: subprocess.Popen[bytes], log: Path) -> Stack:
    """Waits for the banner, which `up` prints once the API answers."""

    def over() -> bool:
        return process.poll() is not None or b"is running" in log.read_bytes()

    if not wait_until(over, _START_SECONDS) or process.returncode is not None:
        last = " | ".join(log.read_text("utf-8", "replace").strip().splitlines()[-3:])
        raise StackError(f"`aispine up` does not start: {last}")
    known = json.loads((home / STACK_FILE).read_text("utf-8"))
    names = ("url", "api_key", "database_url", "redis_url")
    return Stack(home=home, pid=process.pid, **{name: known[name] for name in names})


def _stop(process: subprocess.Popen[bytes]) -> None:
    """Asks once, then asks to hurry: nothing runs that would be worth the workers' full patience."""
    _ask(process, lambda: process.send_signal(signal.SIGTERM), _PATIENT_SECONDS)
    _ask(process, lambda: process.send_signal(signal.SIGTERM), _STOP_SECONDS)
    _ask(process, process.kill, _PATIENT_SECONDS)


def _ask(process: subprocess.Popen[bytes], ask: Callable[[], None], seconds: float) -> None:
    if process.poll() is None:
        ask()
        wait_until(lambda: process.poll() is not None, seconds)
