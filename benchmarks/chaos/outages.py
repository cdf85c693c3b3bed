"""Outages: a server paused, cut off or full while executions run. All wait, none fails, the API says when to ask."""

from __future__ import annotations

import contextlib
import functools
import os
import secrets
import signal
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

import psutil
import requests
from sqlalchemy import create_engine, text
from sqlalchemy.exc import OperationalError
from sqlalchemy.pool import NullPool

from aispine.stack.process import wait_until
from benchmarks.chaos import cases, disk, driver, ledger, stack
from benchmarks.chaos.client import Client
from benchmarks.chaos.database import Database
from benchmarks.chaos.driver import Driver
from benchmarks.chaos.judge import Judge, Verdict
from benchmarks.chaos.stack import Stack

_COUNT: Final = 20
_SETTLE: Final = 120.0
_CUT = "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE pid <> pg_backend_pid() AND datname IS NOT NULL"
_MOST_CONNECTIONS: Final = 120
_GREEDY: Final = "greedy"


@dataclass(frozen=True, kw_only=True, slots=True)
class Weathered:
    """What became of an outage; `answers` are those of the API while it lasted, by status."""

    name: str
    verdict: Verdict
    answers: Mapping[str, int]

    @property
    def harm(self) -> list[str]:
        verdict, given = self.verdict, self.answers
        figures = {
            "stuck": verdict.stuck,
            "wrong results": verdict.wrong,
            "joins fired twice": verdict.joins_twice,
            "effects recorded twice": verdict.effects_twice,
            "not started": _COUNT - verdict.started,
            "answers of 500": given.get("500", 0),
            "answers of 503 without Retry-After": given.get("503, no Retry-After", 0),
        }
        return [f"{self.name}: {name}: {value}, not 0" for name, value in figures.items() if value]


def run(say: Callable[[str], None], *, keep: bool = False, only: Sequence[str] = ()) -> list[Weathered]:
    """Every outage in turn on one stack, or those in `only`. Raises `StackError` when that does not start."""
    with stack.running({}, keep=keep, small_disk=True) as running:
        say(f"the stack runs in {running.folder}")
        driver.deploy(Client(running.url, running.api_key), cases.cases())
        chosen = {name: outage for name, outage in OUTAGES.items() if not only or name in only}
        if not running.small_disk:
            chosen.pop(_FULL, None)
            say(f"{_FULL}: NOT TRIED, since this user may not mount a file system")
        return [_weather(running, name, outage, say) for name, outage in chosen.items()]


def _weather(running: Stack, name: str, outage: Callable[[Stack], None], say: Callable[[str], None]) -> Weathered:
    database, run_id = Database(running.database_url), f"outage-{secrets.token_hex(4)}"
    work = driver.jobs(_COUNT, cases.cases(), seed=len(name))
    driving = Driver(functools.partial(Client, running.url, running.api_key), database, run_id, work)
    driving.progress = 1.0
    driving.begin()
    try:
        wait_until(lambda: len(driving.accepted) >= _COUNT // 2, _SETTLE)
        with _asking(running) as answers:
            outage(running)
        wait_until(lambda: driving.all_started, _SETTLE)
        wait_until(lambda: database.open(run_id) == 0, _SETTLE)
    finally:
        driving.end()
    verdict = Judge(database, run_id, work, ledger.read(running.calls)).verdict(())
    say(f"{name}: {verdict.ended} of {_COUNT} ended, the API answered {dict(answers)}")
    return Weathered(name=name, verdict=verdict, answers=answers)


@contextlib.contextmanager
def _asking(running: Stack) -> Iterator[Counter[str]]:
    """Asks the API for something stored, again and again, and counts the answers."""
    answers: Counter[str] = Counter()
    over = threading.Event()

    def ask() -> None:
        while not over.wait(0.3):
            answers[_answer(running)] += 1

    thread = threading.Thread(target=ask)
    thread.start()
    try:
        yield answers
    finally:
        over.set()
        thread.join()


def _answer(running: Stack) -> str:
    headers = {"Authorization": f"Bearer {running.api_key}"}
    try:
        answer = requests.get(f"{running.url}/api/v1/executions?limit=1", headers=headers, timeout=10)
    except requests.RequestException:
        return "nothing"
    promised = answer.status_code != requests.codes.unavailable or "Retry-After" in answer.headers
    return str(answer.status_code) if promised else f"{answer.status_code}, no Retry-After"


def _pause(name: str, seconds: float, running: Stack) -> None:
    process = running.program(name)
    if process is None:
        raise AssertionError(f"{name} does not run")
    family = [process, *process.children(recursive=True)]
    for each in family:
        os.kill(each.pid, signal.SIGSTOP)
    try:
        time.sleep(seconds)
    finally:
        for each in family:
            with contextlib.suppress(ProcessLookupError):
                os.kill(each.pid, signal.SIGCONT)


def _restart_postgres(running: Stack) -> None:
    process = running.program("postgres")
    if process is None:
        raise AssertionError("PostgreSQL does not run")
    process.send_signal(signal.SIGINT)
    psutil.wait_procs([process], timeout=30)
    Database(running.database_url).rows("SELECT 1")


def _cut_connections(running: Stack) -> None:
    for _ in range(10):
        Database(running.database_url).rows(_CUT)
        time.sleep(0.5)


def _fill_connections(running: Stack) -> None:
    """Takes every connection there is, those that others had included, and the ones kept for the owner."""
    engine = create_engine(
        running.database_url,
        poolclass=NullPool,
        isolation_level="AUTOCOMMIT",
        connect_args={"application_name": _GREEDY},
    )
    with contextlib.ExitStack() as held:
        last = held.enter_context(engine.connect())
        for _ in range(10):
            with contextlib.suppress(OperationalError):
                for _ in range(_MOST_CONNECTIONS):
                    held.enter_context(engine.connect())
            last.execute(text(f"{_CUT} AND application_name <> :greedy"), {"greedy": _GREEDY})
            time.sleep(0.2)
        time.sleep(15)


def _fill_disk(running: Stack) -> None:
    with disk.full(running.folder / "home"):
        time.sleep(15)


_FULL: Final = "the disk full for 15 s"
OUTAGES: Final[Mapping[str, Callable[[Stack], None]]] = {
    "Redis paused for 30 s": functools.partial(_pause, "redis", 30.0),
    "PostgreSQL paused for 15 s": functools.partial(_pause, "postgres", 15.0),
    "PostgreSQL restarted": _restart_postgres,
    "connections cut ten times": _cut_connections,
    "no connection left for 15 s": _fill_connections,
    _FULL: _fill_disk,
}
