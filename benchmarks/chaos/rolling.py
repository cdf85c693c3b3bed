"""A rolling restart under load: every process replaced in turn while executions run and clients ask the API."""

from __future__ import annotations

import contextlib
import functools
import secrets
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Final

import requests

from aispine.stack import restart
from aispine.stack.process import wait_until
from benchmarks.chaos import cases, driver, ledger, stack
from benchmarks.chaos.client import Client
from benchmarks.chaos.database import Database
from benchmarks.chaos.driver import Driver
from benchmarks.chaos.judge import Judge, Verdict
from benchmarks.chaos.stack import Stack

_CLIENTS: Final = 4
_EVERY: Final = 0.03
_SETTLE: Final = 120.0
LEAST: Final = 0.999
"""The share of requests that must be answered without an error."""


@dataclass(kw_only=True)
class Asked:
    """What the clients were answered, by status, `nothing` for a broken connection; `slowest` in seconds."""

    answers: Counter[str] = field(default_factory=Counter)
    slowest: float = 0.0

    @property
    def share(self) -> float:
        good = sum(count for status, count in self.answers.items() if status.startswith("2"))
        return good / max(self.answers.total(), 1)


@dataclass(frozen=True, kw_only=True, slots=True)
class Rolled:
    """What became of some restarts in a row; `seconds` is how long each took."""

    verdict: Verdict
    count: int
    asked: Asked
    seconds: tuple[float, ...]
    handed_back: int

    @property
    def harm(self) -> list[str]:
        """Every figure that is not as it must be: what was finished is neither lost nor done again."""
        verdict = self.verdict
        zeros = {
            "stuck": verdict.stuck,
            "wrong results": verdict.wrong,
            "joins fired twice": verdict.joins_twice,
            "effects recorded twice": verdict.effects_twice,
            "not started": self.count - verdict.started,
            "calls repeated beyond those handed back": max(verdict.repeated - self.handed_back, 0),
        }
        found = [f"{name}: {value}, not 0" for name, value in zeros.items() if value]
        if self.asked.share < LEAST:
            found.append(f"{self.asked.share:.4%} of the requests succeeded, at least {LEAST:.1%}")
        return found


def run(say: Callable[[str], None], *, count: int, times: int, keep: bool = False) -> Rolled:
    """Restarts everything `times` times while `count` executions are started. Raises `StackError`."""
    with stack.running({}, keep=keep) as running:
        say(f"the stack runs in {running.folder}")
        driver.deploy(Client(running.url, running.api_key), cases.cases())
        return _roll(running, count, times, say)


def _roll(running: Stack, count: int, times: int, say: Callable[[str], None]) -> Rolled:
    database, run_id = Database(running.database_url), f"rolling-{secrets.token_hex(4)}"
    work = driver.jobs(count, cases.cases(), seed=count)
    driving = Driver(functools.partial(Client, running.url, running.api_key), database, run_id, work)
    driving.begin()
    seconds = []
    try:
        with _clients(running) as asked:
            for number in range(times):
                begun = time.monotonic()
                restart.restart(running.folder / "home", running.database_url)
                seconds.append(time.monotonic() - begun)
                driving.progress = (number + 1) / times
                say(f"restarted everything in {seconds[-1]:.1f} s; the API answered {dict(asked.answers)}")
        wait_until(lambda: driving.all_started, _SETTLE)
        wait_until(lambda: database.open(run_id) == 0, _SETTLE)
    finally:
        driving.end()
    judge = Judge(database, run_id, work, ledger.read(running.calls))
    return Rolled(
        verdict=judge.verdict(()), count=count, asked=asked, seconds=tuple(seconds), handed_back=judge.handed_back
    )


@contextlib.contextmanager
def _clients(running: Stack) -> Iterator[Asked]:
    """Clients that ask for something stored again and again, each over a connection that it keeps."""
    asked, over, lock = Asked(), threading.Event(), threading.Lock()

    def ask() -> None:
        with requests.Session() as http:
            http.headers["Authorization"] = f"Bearer {running.api_key}"
            while not over.wait(_EVERY):
                begun = time.monotonic()
                answer = _answer(http, running.url)
                with lock:
                    asked.answers[answer] += 1
                    asked.slowest = max(asked.slowest, time.monotonic() - begun)

    threads = [threading.Thread(target=ask) for _ in range(_CLIENTS)]
    for thread in threads:
        thread.start()
    try:
        yield asked
    finally:
        over.set()
        for thread in threads:
            thread.join()


def _answer(http: requests.Session, url: str) -> str:
    try:
        return str(http.get(f"{url}/api/v1/executions?limit=1", timeout=30).status_code)
    except requests.RequestException:
        return "nothing"
