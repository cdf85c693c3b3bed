"""What the figures were measured on; without it they say little."""

from __future__ import annotations

import os
import platform
import statistics
import tempfile
import time
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path
from typing import Any, Final

import psutil
import redis

import aispine
from benchmarks.database import Database
from benchmarks.stack import Stack

_WRITES: Final = 200
_PAGE: Final = b"\0" * 8192
_LIBRARIES: Final = ("celery", "kombu", "redis", "sqlalchemy", "psycopg2-binary", "flask", "gunicorn")


def describe(stack: Stack, database: Database) -> dict[str, Any]:
    """The machine, the versions, and how long a write takes to be safe on the database's disk."""
    data = Path(database.show("data_directory"))
    return {
        "date": datetime.now(UTC).isoformat(timespec="seconds"),
        "cores": os.cpu_count(),
        "usable_cores": len(psutil.Process().cpu_affinity() or ()),
        "memory_mb": round(psutil.virtual_memory().total / 1e6),
        "load_before": [round(load, 2) for load in os.getloadavg()],
        "system": platform.platform(),
        "python": platform.python_version(),
        "aispine": aispine.__version__,
        "postgresql": database.show("server_version"),
        "redis_server": _redis_version(stack),
        "libraries": {name: version(name) for name in _LIBRARIES},
        "durability": database.durability(),
        "file_system": _file_system(data),
        "fsync_ms": round(fsync_seconds(data.parent) * 1000, 3),
    }


def fsync_seconds(folder: Path) -> float:
    """The median time to write a database page and have it on the disk of this folder."""
    with tempfile.TemporaryFile(dir=folder, buffering=0) as file:
        return statistics.median(_write(file.fileno()) for _ in range(_WRITES))


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
