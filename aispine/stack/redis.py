"""The embedded Redis: on loopback, behind a password, appending to a file, refusing to forget."""

from __future__ import annotations

import secrets
import signal
import socket
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from aispine.errors import StackError
from aispine.stack import home, ledger, programs
from aispine.stack.postgres import log_tail
from aispine.stack.process import Process, Program, wait_until

HOST: Final = "127.0.0.1"
_START_SECONDS: Final = 30.0
_TRIES: Final = 3
_CONFIGURATION: Final = """\
bind {host}
port {port}
protected-mode yes
requirepass {password}
dir "{folder}"
daemonize no
set-proc-title no
pidfile "{pid_file}"
databases 16
tcp-keepalive 60
maxmemory-policy noeviction
save ""
appendonly yes
appendfsync everysec
"""


@dataclass(frozen=True, kw_only=True, slots=True)
class Instance:
    """One home's Redis; port and password are new at each start."""

    folder: Path
    log: Path
    port: int
    password: str

    @property
    def url(self) -> str:
        return f"redis://:{self.password}@{HOST}:{self.port}/0"

    @property
    def configuration(self) -> Path:
        return self.folder / "redis.conf"

    @property
    def pid_file(self) -> Path:
        return self.folder / "redis.pid"


def start(folder: Path) -> tuple[Instance, Process]:
    """Starts the server and waits until it answers; what a killed start left of it is ended first.

    Raises `StackError` with the last lines of its log when it does not come up.
    """
    home.make_folder(folder / "redis", 0o700)
    home.make_folder(folder / "logs", 0o700)
    for _ in range(_TRIES):  # Somebody may take the port between our look and the server's.
        instance = _configure(folder)
        process = Process(program(instance))
        if wait_until(lambda: process.ended() or answers(instance), _START_SECONDS) and not process.ended():  # noqa: B023
            return instance, process
        process.stop()
    raise StackError(f"Redis does not start: {log_tail(instance.log)}", hint=f"See {instance.log}.")


def program(instance: Instance) -> Program:
    """What to run; SIGTERM makes Redis write out its file and end."""
    return Program(
        name="redis",
        argv=(str(programs.redis_server()), str(instance.configuration)),
        env={"LC_ALL": "C"},
        log=instance.log,
        stop_signal=signal.SIGTERM,
        stop_seconds=15.0,
        tier=0,
    )


def answers(instance: Instance) -> bool:
    """True once Redis takes commands, that is, has read its file."""
    try:
        with socket.create_connection((HOST, instance.port), timeout=1.0) as connection:
            connection.sendall(f"AUTH {instance.password}\r\nPING\r\n".encode())
            reply = b""
            while reply.count(b"\r\n") < 2 and (part := connection.recv(200)):
                reply += part
            return reply.endswith(b"+PONG\r\n")
    except OSError:
        return False


def free_port() -> int:
    """A port of loopback that nobody listens on now."""
    with socket.socket() as probe:
        probe.bind((HOST, 0))
        return int(probe.getsockname()[1])


def _configure(folder: Path) -> Instance:
    instance = Instance(
        folder=folder / "redis",
        log=folder / "logs" / "redis.log",
        port=free_port(),
        password=secrets.token_urlsafe(24),
    )
    ledger.end_by_pid_file(instance.pid_file, str(instance.configuration), signal.SIGTERM)
    text = _CONFIGURATION.format(
        host=HOST,
        port=instance.port,
        password=instance.password,
        folder=_quoted(instance.folder),
        pid_file=_quoted(instance.pid_file),
    )
    home.write_private(instance.configuration, text)
    return instance


def _quoted(path: Path) -> str:
    return str(path).replace("\\", "\\\\").replace('"', '\\"')
