"""What the tests of the stack share: finding processes, and a whole `aispine up` with small programs of its own."""

from __future__ import annotations

import json
import os
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from aispine.stack.process import identity

ROOT = Path(__file__).resolve().parents[3]
STUBBORN = """\
import signal, time
signal.signal(signal.SIGTERM, signal.SIG_IGN)
print("ready", flush=True)
time.sleep(1000)
"""
WEB = """\
import http.server, json, os, sys
class Handler(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        self.send_response(200)
        self.end_headers()
        self.wfile.write(json.dumps({"pid": os.getpid(), "cwd": os.getcwd(), "env": dict(os.environ)}).encode())
    def log_message(self, *arguments):
        pass
print("web listens", flush=True)
http.server.HTTPServer((os.environ["AISPINE_HOST"], int(os.environ["AISPINE_PORT"])), Handler).serve_forever()
"""


def eventually(condition: Callable[[], Any], seconds: float = 20.0) -> Any:
    """Polls until the condition yields something true and returns it."""
    deadline = time.monotonic() + seconds
    while not (found := condition()):
        assert time.monotonic() < deadline, "it did not happen in time"
        time.sleep(0.02)
    return found


def processes_of(folder: Path) -> list[str]:
    """The command lines of the running processes that name the folder."""
    listed = subprocess.run(["ps", "-eo", "stat=,args="], capture_output=True, text=True, check=True).stdout
    rows = (line.split(None, 1) for line in listed.splitlines())
    return [row[1] for row in rows if len(row) == 2 and not row[0].startswith("Z") and str(folder) in row[1]]


@contextmanager
def enterable_folder() -> Iterator[Path]:
    """A folder that other users can enter, as pytest's own are not; no process of it may outlive the block."""
    path = Path(tempfile.mkdtemp(prefix="aispine-test-"))
    path.chmod(0o755)
    try:
        yield path
        eventually(lambda: not processes_of(path))
    finally:
        shutil.rmtree(path, ignore_errors=True)


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def alive(pid: int) -> bool:
    """True for a running process; one that ended but was not yet reaped is not running."""
    return identity(pid) is not None


def usable(database_url: str, redis_url: str) -> bool:
    """True when both servers answer."""
    import psycopg2
    import redis

    try:
        psycopg2.connect(database_url.replace("+psycopg2", "")).close()
        with redis.Redis.from_url(redis_url) as client:
            return bool(client.ping())
    except (psycopg2.OperationalError, redis.RedisError):
        return False


class Up:
    """A running `aispine up` whose web process is a small server that answers with its pid and environment."""

    def __init__(self, folder: Path, *arguments: str, procfile: str | None = None, **env: str) -> None:
        self.folder = folder
        self.home = folder / "home"
        self.port = free_port()
        (folder / "web.py").write_text(WEB)
        (folder / "idle.py").write_text("import time\nprint('idle', flush=True)\ntime.sleep(1000)\n")
        lines = procfile or f"web: python {folder}/web.py\nidle: python {folder}/idle.py\n"
        (folder / "Procfile").write_text(lines)
        self.command = [sys.executable, "-m", "cli", "up", "--procfile", str(folder / "Procfile")]
        self.command += ["--port", str(self.port), *arguments]
        outer = {name: value for name, value in os.environ.items() if not name.startswith("AISPINE_")}
        self.env = {**outer, "PYTHONPATH": str(ROOT), "AISPINE_HOME": str(self.home), **env}
        self.process: subprocess.Popen[str] | None = None

    def start(self) -> Up:
        with (self.folder / "out").open("w") as out, (self.folder / "err").open("w") as err:
            self.process = subprocess.Popen(
                self.command, env=self.env, cwd=self.folder, stdout=out, stderr=err, text=True, start_new_session=True
            )
        eventually(lambda: "is running" in self.out or self.process.poll() is not None, 60)
        assert "is running" in self.out, self.err
        return self

    def once(self) -> subprocess.CompletedProcess[str]:
        """Runs the command where it is expected to refuse."""
        return subprocess.run(
            self.command, env=self.env, cwd=self.folder, capture_output=True, text=True, timeout=100, check=False
        )

    def end(self, number: int = signal.SIGTERM) -> int:
        assert self.process is not None
        self.process.send_signal(number)
        return self.process.wait(30)

    @property
    def out(self) -> str:
        return (self.folder / "out").read_text()

    @property
    def err(self) -> str:
        return (self.folder / "err").read_text()

    @property
    def stack(self) -> dict[str, str]:
        return json.loads((self.home / "stack.json").read_text())

    def health(self) -> dict[str, Any] | None:
        from aispine.stack.address import Address, health

        return health(Address(host="127.0.0.1", port=self.port))


@contextmanager
def running(folder: Path, *arguments: str, **options: Any) -> Iterator[Up]:
    up = Up(folder, *arguments, **options).start()
    try:
        yield up
    finally:
        if up.process is not None and up.process.poll() is None:
            up.end()
