"""A stack of one's own for a while: `aispine up` as a child, on a free port."""

from __future__ import annotations

import json
import os
import re
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from aispine.errors import AISpineError, StackError
from aispine.settings import STACK_FILE
from cli.client import Client
from cli.text import printable

START_SECONDS: Final = 120.0
STOP_SECONDS: Final = 60.0
LOG: Final = "up.log"
_POLL_SECONDS: Final = 0.1


@contextmanager
def temporary_home() -> Iterator[Path]:
    """A home that is gone afterwards."""
    folder = Path(tempfile.mkdtemp(prefix="aispine-demo-"))
    # Started by root, PostgreSQL runs as another user, who has to get through to its files and no further.
    folder.chmod(0o711)
    home = folder / "home"
    try:
        yield home
    finally:
        _remove_cluster(home)
        shutil.rmtree(folder, ignore_errors=True)


def _remove_cluster(home: Path) -> None:
    """Removes a cluster outside of the home, which is where it is put when nobody else can enter the home."""
    from aispine.stack.postgres import POINTER

    try:
        place = Path((home / POINTER).read_text("utf-8").strip())
        ours = (place / "home").read_text("utf-8").strip() == str(home)
    except FileNotFoundError:
        return
    if ours:
        shutil.rmtree(place, ignore_errors=True)


@dataclass(frozen=True, slots=True)
class Starting:
    """A stack that was told to start."""

    home: Path
    process: subprocess.Popen[bytes]

    @property
    def log(self) -> Path:
        """What the stack says."""
        return self.home / LOG

    def wait(self) -> Client:
        """Waits until the stack answers. Raises `StackError` with what it said when it does not start."""
        deadline = time.monotonic() + START_SECONDS
        while time.monotonic() < deadline:
            if self.process.poll() is not None:
                raise _not_started("the stack ended while it was starting", self.log)
            client = _answering(self.home)
            if client is not None:
                return client
            time.sleep(_POLL_SECONDS)
        raise _not_started(f"the stack did not answer within {START_SECONDS:g} s", self.log)


@contextmanager
def started(home: Path, settings: Mapping[str, str] | None = None) -> Iterator[Starting]:
    """Starts a stack in the home, with `AISPINE_*` variables of its own, and stops it whatever happens."""
    with (_made(home) / LOG).open("wb") as output:
        process = _start(home, output.fileno(), settings or {})
        try:
            yield Starting(home, process)
        finally:
            _stop(process)


@contextmanager
def running(home: Path) -> Iterator[Client]:
    """As `started`, once the stack answers."""
    with started(home) as stack:
        yield stack.wait()


def _made(home: Path) -> Path:
    try:
        home.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise StackError(f"{home} cannot be made: {error.strerror}", hint="Choose another --home.") from error
    return home


def _start(home: Path, output: int, settings: Mapping[str, str]) -> subprocess.Popen[bytes]:
    # A session of its own keeps Ctrl-C from reaching the stack before the command has said goodbye to it.
    argv = [sys.executable, "-P", "-m", "cli", "up", "--port", str(_free_port())]
    return subprocess.Popen(
        argv, cwd=home, env={**_environment(home), **settings}, stdout=output, stderr=output, stdin=subprocess.DEVNULL,
        start_new_session=True,
    )  # fmt: skip


def _environment(home: Path) -> dict[str, str]:
    """The environment without the user's own stack, which this one has nothing to do with."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith("AISPINE_")}
    return {**kept, "AISPINE_HOME": str(home), "AISPINE_LOG_FORMAT": "console", "NO_COLOR": "1"}


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


def _answering(home: Path) -> Client | None:
    """A client for the stack, None until it has said where it is and answers there."""
    try:
        found = json.loads((home / STACK_FILE).read_text("utf-8"))
        client = Client(found["url"], found["api_key"])
        client.get("/health")
    except (FileNotFoundError, AISpineError):
        return None
    return client


def _not_started(message: str, log: Path) -> StackError:
    said = [line for line in printable(log.read_text("utf-8", "replace")).splitlines() if line.strip()]
    errors = [line for line in said if re.match(r"(Error|Hint): ", line)]
    return StackError(f"{message}. It said:\n" + "\n".join(f"  {line}" for line in (errors or said[-20:])))


def _stop(process: subprocess.Popen[bytes]) -> None:
    # A second Ctrl-C would leave behind what the first one is about to end.
    before = signal.signal(signal.SIGINT, signal.SIG_IGN)
    try:
        _end(process)
    finally:
        signal.signal(signal.SIGINT, before)


def _end(process: subprocess.Popen[bytes]) -> None:
    process.send_signal(signal.SIGTERM)
    try:
        process.wait(STOP_SECONDS)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()
