"""The sweep: a worker killed before and after each thing that it says to a server, for an execution of each kind."""

from __future__ import annotations

import functools
import secrets
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Final

from aispine.engine import broker, canvas, start
from aispine.engine.start import StartRequest
from aispine.settings import Settings
from aispine.stack.process import wait_until
from aispine.store.database import Store
from benchmarks.chaos import cases, driver, killer, ledger, stack
from benchmarks.chaos.cases import Case
from benchmarks.chaos.client import Client
from benchmarks.chaos.database import Database
from benchmarks.chaos.driver import Driver, Job
from benchmarks.chaos.judge import Judge, Verdict

_BATCH: Final = 24
_SECONDS: Final = 90.0
_WIDTH: Final = 3
_SETTINGS: Final = {"AISPINE_LEASE": "1", "AISPINE_HEARTBEAT": "0.3"}


@dataclass(frozen=True, kw_only=True, slots=True)
class Swept:
    """What became of a sweep: `points` by kind and phase, at each of which a process was killed once."""

    points: dict[str, int]
    verdict: Verdict

    @property
    def harm(self) -> list[str]:
        """Every figure that is not zero and has to be; repeated calls are what kills cost."""
        verdict = self.verdict
        figures = {
            "stuck": verdict.stuck,
            "wrong results": verdict.wrong,
            "joins fired twice": verdict.joins_twice,
            "effects recorded twice": verdict.effects_twice,
        }
        return [f"{name}: {value}, not 0" for name, value in figures.items() if value]


def run(say: Callable[[str], None], *, keep: bool = False, only: Sequence[str] = ()) -> Swept:
    """Sweeps over all kinds on a stack of its own, or over those in `only`. Raises `StackError`."""
    with stack.running(_SETTINGS, kills=True, keep=keep) as running:
        say(f"the stack runs in {running.folder}")
        return _Sweep(running, say).sweep([case for case in cases.cases(0.3, _WIDTH) if not only or case.name in only])


class _Sweep:
    def __init__(self, running: stack.Stack, say: Callable[[str], None]) -> None:
        self._running = running
        self._say = say
        self._run_id = f"sweep-{secrets.token_hex(4)}"
        self._database = Database(running.database_url)
        self._store = Store(running.engine_database_url, pool_size=1)
        self._celery = broker.make_app(Settings(redis_url=running.redis_url))
        self._jobs: list[Job] = []

    def sweep(self, kinds: Sequence[Case]) -> Swept:
        make = functools.partial(Client, self._running.url, self._running.api_key)
        driver.deploy(make(), kinds)
        answering = Driver(make, self._database, self._run_id, ())
        answering.begin()
        try:
            points = {f"{case.name}, {phase}": self._kind(case, phase) for case in kinds for phase in killer.PHASES}
        finally:
            answering.end()
        judge = Judge(self._database, self._run_id, self._jobs, ledger.read(self._running.calls))
        return Swept(points=points, verdict=judge.verdict(()))

    def _kind(self, case: Case, phase: str) -> int:
        """How many points the kind has; an execution was killed at each."""
        done = 0
        while True:
            started = [self._start(case, phase, done + number) for number in range(1, _BATCH + 1)]
            wait_until(lambda: self._database.open(self._run_id) == 0, _SECONDS)
            hit = sum((self._running.kills / f"{execution_id}.killed").exists() for execution_id in started)
            done += hit
            if hit < _BATCH:
                self._say(f"{case.name}: killed {phase} each of {done} points")
                return done

    def _start(self, case: Case, phase: str, point: int) -> str:
        job = Job(number=len(self._jobs), case=case, value=point)
        self._jobs.append(job)
        request = StartRequest(
            flow_id=case.flow["flow_id"],
            input={"value": job.value},
            labels={"number": str(job.number)},
            correlation_id=self._run_id,
        )
        tenant_id = self._tenant_id
        with self._store.session(None) as session:
            execution_id = start.start(session, tenant_id, request).execution_id
            (self._running.kills / f"{execution_id}.{phase}").write_text(str(point))
        canvas.send_start(self._celery, execution_id, request.flow_id)
        return execution_id

    @functools.cached_property
    def _tenant_id(self) -> str:
        return str(self._database.rows("SELECT tenant_id FROM flows LIMIT 1")[0].tenant_id)
