"""Kills a worker's process before or after the k-th thing that it says to PostgreSQL or Redis for one execution.

Before an execution starts, the driver writes the point into `<execution_id>.before` or `.after`. Every statement and
message of its tasks counts one byte in `<execution_id>.points`; the process that comes to the point kills itself.
"""

from __future__ import annotations

import fcntl
import os
import signal
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any, Final

KILLS: Final = "CHAOS_KILLS"
BEFORE: Final = "before"
AFTER: Final = "after"
PHASES: Final = (BEFORE, AFTER)


class Aim:
    """The execution that this thread works for just now; a child counts for its parent."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._mine = threading.local()

    @property
    def execution_id(self) -> str | None:
        return getattr(self._mine, "execution_id", None)

    @execution_id.setter
    def execution_id(self, value: str | None) -> None:
        self._mine.execution_id = value

    def pass_point(self, phase: str) -> None:
        """Counts, and kills this process when it is its turn."""
        name = self._family(self.execution_id) if self.execution_id else None
        wanted = self._folder / f"{name}.{phase}"
        if name is None or not wanted.exists():
            return
        if self._count(f"{name}.points") == int(wanted.read_text()):
            (self._folder / f"{name}.killed").touch()
            os.kill(os.getpid(), signal.SIGKILL)

    def adopt(self, child: str, parent: str) -> None:
        (self._folder / f"{child}.parent").write_text(self._family(parent))

    def _family(self, execution_id: str) -> str:
        parent = self._folder / f"{execution_id}.parent"
        return parent.read_text() if parent.exists() else execution_id

    def _count(self, name: str) -> int:
        with (self._folder / name).open("ab") as points:
            fcntl.flock(points, fcntl.LOCK_EX)
            points.write(b".")
            points.flush()
            return points.tell()


def install() -> None:
    """Makes this process and its children count, when the environment says where."""
    folder = os.environ.get(KILLS)
    if not folder:
        return
    from kombu.transport.redis import Channel

    from aispine.engine import run, start
    from aispine.store.prepared import Link

    aim = Aim(Path(folder))
    for place, name in ((Link, "execute"), (Channel, "_put")):
        setattr(place, name, _counted(aim, getattr(place, name)))
    for name in ("run", "start", "run_lane"):
        setattr(run, name, _aimed(aim, getattr(run, name)))
    setattr(start, "start", _adopting(aim, start.start))  # noqa: B010 - mypy would not have it assigned


def _counted(aim: Aim, call: Callable[..., Any]) -> Callable[..., Any]:
    def counted(*arguments: Any, **options: Any) -> Any:
        aim.pass_point(BEFORE)
        result = call(*arguments, **options)
        aim.pass_point(AFTER)
        return result

    return counted


def _aimed(aim: Aim, task: Callable[..., Any]) -> Callable[..., Any]:
    def aimed(worker: Any, execution_id: str, *arguments: Any) -> Any:
        aim.execution_id = execution_id
        try:
            return task(worker, execution_id, *arguments)
        finally:
            aim.execution_id = None

    return aimed


def _adopting(aim: Aim, start: Callable[..., Any]) -> Callable[..., Any]:
    def adopting(*arguments: Any, parent: Any = None, **options: Any) -> Any:
        row = start(*arguments, parent=parent, **options)
        if parent is not None:
            aim.adopt(row.execution_id, parent.execution_id)
        return row

    return adopting
