"""What the figures were measured on; without it they say little."""

from __future__ import annotations

import contextlib
import os
import platform
import statistics
import tempfile
import time
from collections.abc import Iterator
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path
from typing import Any, Final

import psutil
import redis

import aispine
from benchmarks.context import Bench
from benchmarks.stack import Stack

_IDLE: Final = frozenset({"idle", "iowait", "guest", "guest_nice"})
_WRITES: Final = 200
_PAGE: Final = b"\0" * 8192
_LIBRARIES: Final = ("celery", "kombu", "redis", "sqlalchemy", "psycopg2-binary", "flask", "gunicorn")


def describe(bench: Bench) -> dict[str, Any]:
    """The machine, the versions, and how long a write takes to be safe on the database's disk."""
    stack, database = bench.stack, bench.database
    data = Path(database.show("data_directory"))
    return {
        "date": datetime.now(UTC).isoformat(timespec="seconds"),
        "cores": os.cpu_count(),
        "usable_cores": len(psutil.Process().cpu_affinity() or ()),
        "memory_mb": round(psutil.virtual_memory().total / 1e6),
        "load_before": [round(load, 2) for load in os.getloadavg()],
        "system": _system(),
        "python": platform.python_version(),
        "aispine": aispine.__version__,
        "postgresql": database.show("server_version"),
        "redis_server": _redis_version(stack),
        "libraries": {name: version(name) for name in _LIBRARIES},
        "durability": database.durability(),
        "file_system": _file_system(data),
        "fsync_ms": round(fsync_seconds(data.parent) * 1000, 3),
    }


def _system() -> str:
    """The operating system, without anything that is about this one machine."""
    try:
        name = platform.freedesktop_os_release()["PRETTY_NAME"]
    except (OSError, KeyError):
        name = platform.system()
    return f"{name}, {platform.machine()}"


def fsync_seconds(folder: Path) -> float:
    """The median time to write a database page and have it on the disk of this folder."""
    with tempfile.TemporaryFile(dir=folder, buffering=0) as file:
        return statistics.median(_write(file.fileno()) for _ in range(_WRITES))


class Strangers:
    """What other programs take of this machine while this one measures; they make every figure worse."""

    def __init__(self) -> None:
        self._before = _used()

    def share(self) -> float:
        """Their share of all cores since the start, 0 to 1; time taken by other guests of the same host included."""
        elapsed, busy, own = (now - before for now, before in zip(_used(), self._before, strict=True))
        return max(0.0, busy - own) / elapsed


def _used() -> tuple[float, float, float]:
    """Seconds of all cores since the machine started: in total, busy, and by this program and its descendants."""
    times = psutil.cpu_times()._asdict()
    everything = sum(seconds for name, seconds in times.items() if not name.startswith("guest"))
    busy = sum(seconds for name, seconds in times.items() if name not in _IDLE)
    process = psutil.Process()
    return everything, busy, sum(sum(_own(each)) for each in (process, *process.children(recursive=True)))


def _own(process: psutil.Process) -> Iterator[float]:
    """Of a process and of its children that have ended."""
    with contextlib.suppress(psutil.NoSuchProcess):
        times = process.cpu_times()
        yield from (times.user, times.system, times.children_user, times.children_system)


def _write(descriptor: int) -> float:
    start = time.perf_counter()
    os.write(descriptor, _PAGE)
    os.fsync(descriptor)
    return time.perf_counter() - start


def _redis_version(stack: Stack) -> str:
    with redis.Redis.from_url(stack.redis_url) as client:
        return str(client.info("server")["redis_version"])


def _file_system(path: Path) -> str:
    """The type of the file system that holds the path, by the longest mount point before it."""
    mounts = [mount for mount in psutil.disk_partitions(all=True) if path.is_relative_to(mount.mountpoint)]
    return max(mounts, key=lambda mount: len(mount.mountpoint)).fstype if mounts else "unknown"
