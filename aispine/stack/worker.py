"""How each Celery process is started: its queue, its pool and no more than it needs."""

from __future__ import annotations

import sys
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final, Literal

from aispine.errors import StackError
from aispine.settings import Settings

APP: Final = "workers.app"
BEAT: Final = "beat"
BEAT_SCHEDULE: Final = "beat-schedule"
"""The file in the home in which Celery's beat keeps a schedule of its own."""
FLOWER_PORT: Final = 5555
# -P: no folder named like one of our packages can stand before it, whatever the current directory is.
_PROGRAM: Final = (sys.executable, "-P", "-m", "workers")
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
    return [*_PROGRAM, name, "--concurrency", str(concurrency or _concurrency(name, settings))]


def beat_command() -> list[str]:
    return [*_PROGRAM, BEAT]


def flower_command(port: int = FLOWER_PORT) -> list[str]:
    return ["celery", "--quiet", "-A", APP, "flower", "--address=127.0.0.1", f"--port={port}"]


def environment(base: Mapping[str, str]) -> dict[str, str]:
    """`base` without Celery's warning to root: it is about pickled messages, which are not accepted here."""
    warnings = ",".join(filter(None, (base.get("PYTHONWARNINGS"), _WARNING_TO_ROOT)))
    return {**base, "PYTHONWARNINGS": warnings}


def check_flower(settings: Settings) -> None:
    """Raises `StackError` when Flower is not installed, or the broker is one that it cannot use."""
    import importlib.util

    from aispine.engine import transport

    used = transport.of_settings(settings)
    if used is not None and not used.asks_workers:
        raise StackError(f"Flower cannot look into {used.name}", hint="See `aispine worker list` and /metrics instead.")

    if importlib.util.find_spec("flower") is None:
        raise StackError("Flower is not installed", hint="Install it: pip install 'aispine[flower]'")


def _concurrency(name: str, settings: Settings) -> int:
    sizes = {
        "engine": settings.engine_concurrency,
        "cpu": settings.cpu_concurrency,
        "io": settings.io_concurrency,
    }
    return sizes[name]
