"""Bare Celery on the stack's own broker: what the same canvas takes without a store, a claim or an event."""

from __future__ import annotations

import contextlib
import subprocess
import sys
import time
import uuid
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final

import redis
from celery import chain, chord

from aispine.errors import StackError
from benchmarks import bare
from benchmarks.stack import Stack, environment

CONCURRENCY: Final = 2
_ROOT: Final = Path(__file__).resolve().parent.parent
_START_SECONDS: Final = 60
_STOP_SECONDS: Final = 20
_RUN_SECONDS: Final = 30


class Baseline:
    """A client of the bare worker; the last task of a canvas pushes its end into a list, where it is awaited."""

    def __init__(self, client: Any) -> None:
        self._redis = client
        self._nothing = bare.NOTHING
        self._push = bare.PUSH

    def chain(self, tasks: int) -> float:
        """Seconds that a chain of so many tasks takes."""
        return self._measure(lambda end: chain(*[self._nothing.si() for _ in range(tasks - 1)], end))

    def fan(self, width: int) -> float:
        """Seconds that a chord of so many tasks and its body take."""
        return self._measure(lambda end: chord([self._nothing.si() for _ in range(width)], end))

    def await_worker(self) -> None:
        """Returns once the worker has run a task."""
        self._measure(lambda end: end, seconds=_START_SECONDS)

    def _measure(self, canvas: Any, seconds: int = _RUN_SECONDS) -> float:
        key = f"bare:{uuid.uuid4()}"
        start = time.perf_counter()
        canvas(self._push.si(key)).apply_async()
        if self._redis.blpop(key, timeout=seconds) is None:
            raise StackError(f"the bare worker did not finish within {seconds} s")
        took = time.perf_counter() - start
        _forget()
        return took


def _forget() -> None:
    """Lets go of the members of chords, which Celery keeps for good in case somebody asks for their results."""
    for waiting in bare.app.backend._pending_results:  # noqa: SLF001 - there is no public way to them.
        waiting.clear()


@contextlib.contextmanager
def running(stack: Stack) -> Iterator[Baseline]:
    """Yields the baseline with a worker of its own, warm enough to have run one task."""
    bare.use(stack.redis_url)
    process = subprocess.Popen(
        _command(),
        cwd=_ROOT,
        env=environment() | {bare.REDIS_URL: stack.redis_url},
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    try:
        with redis.Redis.from_url(stack.redis_url, socket_timeout=None) as client:
            baseline = Baseline(client)
            baseline.await_worker()
            yield baseline
    finally:
        process.terminate()
        try:
            process.wait(_STOP_SECONDS)
        except subprocess.TimeoutExpired:
            process.kill()


def _command() -> list[str]:
    celery = [sys.executable, "-m", "celery", "-A", "benchmarks.bare", "worker", "-n", "bare@%h"]
    pool = ["-P", "prefork", "-c", str(CONCURRENCY)]
    return [*celery, *pool, "--without-gossip", "--without-mingle", "--without-heartbeat"]
