"""The embedded PostgreSQL: a cluster of our own, reachable through one Unix socket only."""

from __future__ import annotations

import hashlib
import os
import re
import secrets
import shutil
import signal
import stat
import subprocess
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Final
from urllib.parse import quote

from aispine.errors import StackError
from aispine.stack import home, ledger, programs
from aispine.stack.account import Account, owner_of, unprivileged
from aispine.stack.process import Process, Program, wait_until

SUPERUSER: Final = "postgres"
DATABASE: Final = "aispine"
SHARED_PLACE: Final = Path("/var/lib/aispine")
"""Where root's clusters go when the home is in a folder that no other user can enter, such as /root."""
POINTER: Final = "postgres.path"
LOG_LIMIT: Final = 10_000_000
_STAGING: Final = ".postgres-"
_SOCKET_NAME: Final = ".s.PGSQL.5432"
_LONGEST_SOCKET: Final = 100
_START_SECONDS: Final = 60.0
_HELD: Final = "pre-existing shared memory block"
"""What the log says while backends of a killed server have not ended yet; they do in a moment."""
_TRIES: Final = 20
_PAUSE: Final = 0.25
_SETTINGS: Final = {
    "listen_addresses": "",
    "unix_socket_permissions": "0700",
    "max_connections": "100",
    # Small: a laptop runs this beside everything else. Durability stays at PostgreSQL's defaults, all on.
    "shared_buffers": "16MB",
    "jit": "off",
    "io_method": "sync",
    "max_parallel_workers_per_gather": "0",
    "autovacuum_max_workers": "2",
    "max_logical_replication_workers": "0",
    "wal_level": "minimal",
    "max_wal_senders": "0",
    "timezone": "UTC",
    "log_timezone": "UTC",
    "log_checkpoints": "off",
    "log_line_prefix": "%m [%p] ",
}


@dataclass(frozen=True, kw_only=True, slots=True)
class Cluster:
    """Where one home's PostgreSQL keeps its parts and whom it runs as."""

    data: Path
    socket: Path
    binaries: Path
    log: Path
    account: Account | None

    @property
    def url(self) -> str:
        return f"postgresql+psycopg2://{SUPERUSER}@/{DATABASE}?host={quote(str(self.socket), safe='/')}"

    @property
    def pid_file(self) -> Path:
        return self.data / "postmaster.pid"


def prepare(folder: Path) -> Cluster:
    """Finds the home's cluster, or makes it.

    Raises `StackError` when it is gone, belongs to somebody else or cannot be made.
    """
    account = unprivileged()
    place = _place(folder, account)
    data = place / "postgres"
    if data.exists() and account is not None:
        account = owner_of(data)
    _check_owner(data, account)
    cluster = Cluster(
        data=data,
        socket=_socket_folder(place, account),
        binaries=programs.postgres_bin_for(account, place if place == folder else SHARED_PLACE),
        log=folder / "logs" / "postgres.log",
        account=account,
    )
    if not data.exists():
        _initialize(cluster)
    return cluster


def program(cluster: Cluster) -> Program:
    """What to run; SIGINT is PostgreSQL's fast shutdown."""
    values = {**_SETTINGS, "unix_socket_directories": str(cluster.socket)}
    options = [part for name, value in values.items() for part in ("-c", f"{name}={value}")]
    return Program(
        name="postgres",
        argv=(str(cluster.binaries / "postgres"), "-D", str(cluster.data), *options),
        env=_environment(),
        account=cluster.account,
        log=cluster.log,
        stop_signal=signal.SIGINT,
        stop_seconds=30.0,
        tier=0,
    )


def start(cluster: Cluster) -> Process:
    """Starts the server and waits until it takes connections; what a killed start left of it is ended first.

    Raises `StackError` with the last lines of its log when it does not come up.
    """
    for lock in (cluster.pid_file, cluster.socket / f"{_SOCKET_NAME}.lock"):
        ledger.end_by_pid_file(lock, str(cluster.data), signal.SIGINT)
    _rotate(cluster.log)
    for _ in range(_TRIES):
        process = Process(program(cluster))
        if wait_until(lambda: process.ended() or _status(cluster) == "ready", _START_SECONDS) and not process.ended():  # noqa: B023
            return process
        process.stop()
        if _HELD not in log_tail(cluster.log):
            break
        time.sleep(_PAUSE)
    raise StackError(f"PostgreSQL does not start: {log_tail(cluster.log)}", hint=f"See {cluster.log}.")


def log_tail(path: Path, lines: int = 3) -> str:
    """The last lines of a log, joined to one."""
    text = path.read_bytes()[-4000:].decode("utf-8", "replace") if path.exists() else ""
    return " | ".join(text.strip().splitlines()[-lines:]) or "it wrote no log"


def _place(folder: Path, account: Account | None) -> Path:
    """The folder that holds the cluster: the home, or one outside that the account can enter."""
    pointed = home.read_text(folder / POINTER)
    if pointed is not None:
        return _pointed(folder, Path(pointed))
    if account is None or (folder / "postgres").exists() or account.may("-x", folder):
        return folder
    base = programs.make_shared_place(SHARED_PLACE)
    place = base / secrets.token_hex(8)
    home.make_folder(place, 0o755)
    home.write_private(place / "home", f"{folder}\n")
    home.write_private(folder / POINTER, f"{place}\n")
    return place


def _pointed(folder: Path, place: Path) -> Path:
    if place.is_dir():
        return place
    raise StackError(
        f"the database of this home was in {place}, which is gone",
        hint=f"Bring it back, or remove {folder / POINTER} to start with an empty one.",
    )


def _check_owner(data: Path, account: Account | None) -> None:
    if data.exists() and account is None and data.stat().st_uid != os.geteuid():
        raise StackError(
            f"the database in {data} belongs to user {data.owner()}",
            hint="Start as the user that made this home, or set another AISPINE_HOME.",
        )


def _socket_folder(place: Path, account: Account | None) -> Path:
    """A folder that only the server's user can enter, with a path short and plain enough for a socket's name."""
    folder = place / "socket"
    if len(os.fsencode(folder / _SOCKET_NAME)) > _LONGEST_SOCKET or not re.fullmatch(
        r"[\w/.-]+", str(folder), re.ASCII
    ):
        name = f"aispine-{hashlib.sha256(os.fsencode(place)).hexdigest()[:16]}"
        folder = _runtime_folder(account) / name
    _make_private(folder, account)
    return folder


def _runtime_folder(account: Account | None) -> Path:
    runtime = Path(os.environ.get("XDG_RUNTIME_DIR") or "/nonexistent")
    usable = account is None and len(os.fsencode(runtime)) < 50 and os.access(runtime, os.W_OK | os.X_OK)
    return runtime if usable else Path("/tmp")  # noqa: S108 - the folder inside is private and its owner checked.


def _make_private(folder: Path, account: Account | None) -> None:
    owner = os.geteuid() if account is None else account.uid
    try:
        folder.mkdir(0o700)
        if account is not None:
            account.own(folder)
    except FileExistsError:
        status = folder.lstat()
        if not stat.S_ISDIR(status.st_mode) or status.st_uid != owner or stat.S_IMODE(status.st_mode) != 0o700:
            raise StackError(
                f"{folder} is not a private folder of this user", hint="Remove it, or set XDG_RUNTIME_DIR."
            ) from None


def _initialize(cluster: Cluster) -> None:
    """Makes the cluster and its database beside its place and shows it only once it is whole."""
    for unfinished in cluster.data.parent.glob(f"{_STAGING}*"):
        shutil.rmtree(unfinished)
    with tempfile.TemporaryDirectory(dir=cluster.data.parent, prefix=_STAGING) as temporary:
        staging = Path(temporary)
        if cluster.account is not None:
            cluster.account.own(staging)
        data = staging / "data"
        locale = ("--locale=C", "--locale-provider=builtin", "--builtin-locale=C.UTF-8", "--encoding=UTF8")
        access = (f"--username={SUPERUSER}", "--auth=trust", "--no-instructions")
        _run(cluster, "initdb", "-D", str(data), *locale, *access)
        _run(cluster, "postgres", "--single", "-D", str(data), "postgres", given=f"CREATE DATABASE {DATABASE};\n")
        data.rename(cluster.data)


def _run(cluster: Cluster, name: str, *arguments: str, given: str = "") -> None:
    options = {"user": cluster.account.uid, "group": cluster.account.gid, "extra_groups": []} if cluster.account else {}
    done = subprocess.run(
        [str(cluster.binaries / name), *arguments],
        input=given,
        capture_output=True,
        text=True,
        errors="replace",
        check=False,
        cwd="/",
        env=_environment(),
        start_new_session=True,
        **options,  # type: ignore[call-overload] # the overloads do not know a mapping of options
    )
    if done.returncode != 0 or "ERROR" in done.stderr:
        raise StackError(f"PostgreSQL's {name} failed: {' | '.join(done.stderr.strip().splitlines()[-3:])}")


def _environment() -> dict[str, str]:
    # PG* variables of the user would reach the server; only what it needs is handed on.
    return {"PATH": os.environ.get("PATH", os.defpath), "LC_ALL": "C", "TZ": "UTC"}


def _status(cluster: Cluster) -> str:
    """The last line of the server's own pid file: `starting`, `ready`, `stopping`."""
    try:
        return cluster.pid_file.read_text("utf-8").splitlines()[-1].strip()
    except (FileNotFoundError, IndexError):
        return ""


def _rotate(log: Path) -> None:
    home.make_folder(log.parent, 0o700)
    if log.exists() and log.stat().st_size > LOG_LIMIT:
        log.replace(log.with_suffix(".log.1"))
