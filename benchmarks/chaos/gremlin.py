"""The gremlin: a seeded list of faults, each done to processes of this stack alone, and a record of what it hit."""

from __future__ import annotations

import os
import random
import signal
import time
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from math import ceil
from typing import Final

import psutil
import redis

from aispine.stack.process import wait_until
from benchmarks.chaos.database import Database, Running
from benchmarks.chaos.stack import Stack

SHARES: Final = {
    "kill child": 75,
    "kill worker": 35,
    "stop": 12,
    "flush": 6,
    "restart redis": 6,
    "restart postgres": 4,
    "kill web": 5,
    "kill beat": 8,
}
"""Faults for each 1,000 executions, one of each at least."""
_POOLS: Final = ("engine-1", "engine-2", "cpu-1", "cpu-2", "io-1", "io-2")
_LONGEST: Final = 12.0
"""Seconds in which something must be there to be hit."""
_GIVEN_AWAY: Final = 40.0
"""Seconds in which another process must have taken what a halted one ran, however short of time the machine is."""
PAUSE: Final = (0.2, 1.2)
"""Seconds between two faults."""
_BACK: Final = 60.0


@dataclass(frozen=True, kw_only=True, slots=True)
class Fault:
    """What was done when, and the attempts that ran at it."""

    kind: str
    at: float
    hit: tuple[Running, ...] = field(default=())


def plan(count: int, seed: int, shares: Mapping[str, int] = SHARES) -> list[str]:
    """The kinds of faults for so many executions, in their order."""
    kinds = [kind for kind, share in shares.items() for _ in range(ceil(count * share / 1000))]
    random.Random(seed).shuffle(kinds)
    return kinds


class Gremlin:
    """Does faults one after the other and writes down each."""

    def __init__(
        self,
        stack: Stack,
        database: Database,
        seed: int,
        more: Callable[[], None],
        pause: tuple[float, float] = PAUSE,
    ) -> None:
        """`more` asks for work to be started, because there is nothing to hit; `pause` in seconds."""
        self._pause = pause
        self._more = more
        self._stack = stack
        self._database = database
        self._dice = random.Random(seed)
        self.faults: list[Fault] = []
        self._deeds: dict[str, Callable[[], Fault | None]] = {
            "kill child": self._kill_child,
            "kill worker": self._kill_worker,
            "stop": self._stop,
            "flush": self._flush,
            "restart redis": self._restart_redis,
            "restart postgres": self._restart_postgres,
            "kill web": lambda: self._kill_program("kill web", "web"),
            "kill beat": lambda: self._kill_program("kill beat", self._dice.choice(("beat-1", "beat-2"))),
        }

    def do(self, kind: str) -> bool:
        """Does a fault, again until it hits something; False when nothing was there to be hit."""
        time.sleep(self._dice.uniform(*self._pause))
        deadline = time.monotonic() + _LONGEST
        while time.monotonic() < deadline:
            fault = self._deeds[kind]()
            if fault is not None:
                self.faults.append(fault)
            if fault is not None and fault.kind == kind:
                return True
            self._more()
            time.sleep(0.15)
        return False

    def _kill_child(self) -> Fault | None:
        return self._kill("kill child", self._victim(("engine", "cpu")), whole=False)

    def _kill_worker(self) -> Fault | None:
        return self._kill("kill worker", self._victim(("engine", "cpu", "io")), whole=True)

    def _victim(self, queues: tuple[str, ...]) -> Running | None:
        running = [each for each in self._database.running() if each.queue in queues and self._stack.own(each.pid)]
        return self._dice.choice(running) if running else None

    def _kill(self, kind: str, victim: Running | None, *, whole: bool) -> Fault | None:
        process = self._stack.own(victim.pid) if victim else None
        if process is None:
            return None
        family = self._family(process) if whole else [process]
        at = time.time()
        for each in family:
            _signal(each, signal.SIGKILL)
        hit = self._database.running(each.pid for each in family)
        return Fault(kind=kind if hit else f"{kind}, nothing hit", at=at, hit=tuple(hit))

    def _family(self, process: psutil.Process) -> list[psutil.Process]:
        """The worker that a process belongs to, with its whole pool; the worker first, so that it starts none anew."""
        leaders = [found for name in _POOLS if (found := self._stack.program(name))]
        above = {process.pid, *(parent.pid for parent in process.parents())}
        leader = next((each for each in leaders if each.pid in above), process)
        return [leader, *leader.children(recursive=True)]

    def _stop(self) -> Fault | None:
        """Stops a process until a node of it has been given to another, and lets it go on right then."""
        victim = self._victim(("cpu", "io"))
        process = self._stack.own(victim.pid) if victim else None
        if victim is None or process is None:
            return None
        at = time.time()
        _signal(process, signal.SIGSTOP)
        try:
            held = self._database.running([process.pid])
            if victim not in held:
                return None
            taken = wait_until(lambda: self._was_given_away(held), _GIVEN_AWAY)
        finally:
            _signal(process, signal.SIGCONT)
        return Fault(kind="stop" if taken else "stop, in time", at=at, hit=tuple(held))

    def _was_given_away(self, held: Iterable[Running]) -> bool:
        now = {(each.execution_id, each.path): each.attempt for each in self._database.running()}
        return any(now.get((each.execution_id, each.path), 0) > each.attempt for each in held)

    def _flush(self) -> Fault | None:
        hit = self._database.running()
        try:
            with redis.Redis.from_url(self._stack.redis_url, socket_timeout=5) as client:
                client.flushall()
        except redis.RedisError:
            return None
        return Fault(kind="flush", at=time.time(), hit=tuple(hit))

    def _restart_redis(self) -> Fault | None:
        return self._restart("restart redis", "redis", signal.SIGKILL, self._redis_answers)

    def _restart_postgres(self) -> Fault | None:
        number = self._dice.choice((signal.SIGINT, signal.SIGQUIT))
        return self._restart("restart postgres", "postgres", number, lambda: bool(self._database.rows("SELECT 1")))

    def _restart(self, kind: str, name: str, number: signal.Signals, answers: Callable[[], bool]) -> Fault | None:
        process = self._stack.program(name)
        if process is None:
            return None
        before, at = self._database.running(), time.time()
        _signal(process, number)
        back = wait_until(lambda: self._is_another(name, process.pid), _BACK) and wait_until(answers, _BACK)
        hit = {*before, *self._database.running()}
        return Fault(kind=kind if back else f"{kind}, not back", at=at, hit=tuple(hit))

    def _is_another(self, name: str, pid: int) -> bool:
        found = self._stack.program(name)
        return found is not None and found.pid != pid

    def _redis_answers(self) -> bool:
        try:
            with redis.Redis.from_url(self._stack.redis_url, socket_timeout=2) as client:
                return bool(client.ping())
        except redis.RedisError:
            return False

    def _kill_program(self, kind: str, name: str) -> Fault | None:
        process = self._stack.program(name)
        if process is None:
            return None
        at = time.time()
        for each in [process, *process.children(recursive=True)]:
            _signal(each, signal.SIGKILL)
        return Fault(kind=kind, at=at)


def _signal(process: psutil.Process, number: signal.Signals) -> None:
    try:
        os.kill(process.pid, number)
    except ProcessLookupError:
        return
