"""The folder of an agent over HTTP, served on this machine for as long as it is checked."""

from __future__ import annotations

import os
import secrets
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Final

FILE: Final = "app.py"
PATIENCE: Final = 30.0
"""Seconds that an application has to begin to listen."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Served:
    """Where an application listens, and the key that it wants."""

    url: str
    key: str


class NotServedError(Exception):
    """The application ended, or does not listen; the message is the last that it said."""


def is_service(folder: Path) -> bool:
    """True for a folder as `aispine agent create --kind http` makes it: an application, and no definition."""
    return (folder / FILE).is_file() and not (folder / "agent.yaml").is_file()


@contextmanager
def serving(folder: Path) -> Iterator[Served]:
    """Serves `app` of the folder's app.py on a free port of loopback, with a key. Raises `NotServedError`."""
    port, key = _free_port(), secrets.token_urlsafe()
    command = [sys.executable, "-m", "flask", "--app", "app", "run", "--host", "127.0.0.1", "--port", str(port)]
    env = {**os.environ, "AGENT_API_KEY": key, "PYTHONDONTWRITEBYTECODE": "1"}
    with tempfile.TemporaryFile() as said:
        process = subprocess.Popen(
            command, cwd=folder, env=env, stdin=subprocess.DEVNULL, stdout=said, stderr=subprocess.STDOUT
        )
        try:
            _wait(process, port, said)
            yield Served(url=f"http://127.0.0.1:{port}", key=key)
        finally:
            process.terminate()
            try:
                process.wait(5)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()


def _wait(process: subprocess.Popen[bytes], port: int, said: IO[bytes]) -> None:
    until = time.monotonic() + PATIENCE
    while time.monotonic() < until:
        if process.poll() is not None:
            raise NotServedError(_last_line(said) or f"the application ended with {process.returncode}")
        with socket.socket() as probe:
            if probe.connect_ex(("127.0.0.1", port)) == 0:
                return
        time.sleep(0.05)
    raise NotServedError(f"the application does not listen after {PATIENCE:.0f} s")


def _last_line(said: IO[bytes]) -> str:
    said.seek(0)
    lines = [line for line in said.read().decode("utf-8", "replace").splitlines() if line.strip()]
    return lines[-1].strip()[:500] if lines else ""


def _free_port() -> int:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        return int(taken.getsockname()[1])
