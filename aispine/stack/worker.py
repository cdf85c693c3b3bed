"""How each Celery process is started: its queue, its pool and no more than it needs."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final, Literal

from aispine.errors import StackError
from aispine.settings import Settings

APP: Final = "workers.app"
FLOWER_PORT: Final = 5555
_WARNING_TO_ROOT: Final = "ignore:You're running the worker with superuser privileges"


@dataclass(frozen=True, kw_only=True, slots=True)
class Pool:
    queue: str
    kind: Literal["prefork", "threads"]


POOLS: Final[Mapping[str, Pool]] = {
    "engine": Pool(queue="engine", kind="prefork"),
    "cpu": Pool(queue="cpu", kind="prefork"),
    "io": Pool(queue="io", kind="threads"),
}


def worker_command(name: str, settings: Settings, concurrency: int | None = None) -> list[str]:
    """The argument list of one worker; `concurrency` in processes or threads, the setting's where None."""
    pool = POOLS[name]
    size = concurrency or _concurrency(name, settings)
    command = [
        "celery",
        "--quiet",
        "-A",
        APP,
        "worker",
        "-Q",
        pool.queue,
        "-P",
        pool.kind,
        "-c",
        str(size),
        "-n",
        f"{name}@%h",
    ]
    command += ["--without-gossip", "--without-mingle", f"--loglevel={settings.log_level.upper()}"]
    return [*command, "--task-events"] if settings.task_events else [*command, "--without-heartbeat"]


def beat_command(settings: Settings) -> list[str]:
    schedule = settings.home / "beat-schedule"
    return [
        "celery",
        "--quiet",
        "-A",
        APP,
        "beat",
        "-s",
        str(schedule),
        "--pidfile=",
        f"--loglevel={settings.log_level.upper()}",
    ]


def flower_command() -> list[str]:
    return ["celery", "--quiet", "-A", APP, "flower", "--address=127.0.0.1", f"--port={FLOWER_PORT}"]


def environment(base: Mapping[str, str]) -> dict[str, str]:
    """`base` with SIGTERM meaning Celery's soft shutdown: running tasks get their time, then go back to the queue.

    Celery's warning to root is about pickled messages, which are not accepted here: it is left out.
    """
    warnings = ",".join(filter(None, (base.get("PYTHONWARNINGS"), _WARNING_TO_ROOT)))
    return {**base, "REMAP_SIGTERM": "SIGQUIT", "PYTHONWARNINGS": warnings}


def check_flower() -> None:
    """Raises `StackError` when Flower is not installed."""
    import importlib.util

    if importlib.util.find_spec("flower") is None:
        raise StackError("Flower is not installed", hint="Install it: pip install 'aispine[flower]'")


def _concurrency(name: str, settings: Settings) -> int:
    sizes = {
        "engine": settings.engine_concurrency,
        "cpu": settings.cpu_concurrency,
        "io": settings.io_concurrency,
    }
    return sizes[name]
