"""Starts executions as the faults go on, and answers the approvals that wait."""

from __future__ import annotations

import random
import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Final

import yaml

from aispine.errors import StackError
from benchmarks.chaos.cases import Case
from benchmarks.chaos.client import Client
from benchmarks.chaos.database import Database

_MOST: Final = 60
"""Executions at once."""
_AHEAD: Final = 6
_LOOK: Final = 0.2


@dataclass(frozen=True, kw_only=True, slots=True)
class Job:
    """One execution to be: a kind of flow and the value that it starts with."""

    number: int
    case: Case
    value: int


def jobs(count: int, cases: Sequence[Case], seed: int) -> list[Job]:
    """The same for the same seed: every kind as often as the others, in a mixed order."""
    dice = random.Random(seed)
    found = [cases[number % len(cases)] for number in range(count)]
    dice.shuffle(found)
    return [Job(number=number, case=case, value=dice.randrange(1000)) for number, case in enumerate(found)]


def deploy(client: Client, cases: Sequence[Case]) -> None:
    for flow in (flow for case in cases for flow in (*case.helpers, case.flow)):
        answer = client.post("/api/v1/flows", data=yaml.safe_dump(dict(flow), sort_keys=False))
        if not answer.ok:
            raise StackError(f"{flow['flow_id']} is not deployed: {answer.text[:500]}")


class Driver:
    """The starter and whoever answers approvals, on a thread each; `accepted` are the ids that the API gave."""

    def __init__(self, make: Callable[[], Client], database: Database, run_id: str, work: Sequence[Job]) -> None:
        self._make = make
        self._database = database
        self._run_id = run_id
        self._work = work
        self.accepted: dict[int, str] = {}
        self.progress = 0.0
        """How much of the faults is done: as much of the work is started, and a little more."""
        self._ahead = _AHEAD
        self.trouble: list[str] = []
        self._over = threading.Event()
        self._threads = [threading.Thread(target=self._guard, args=(each,)) for each in (self._start_all, self._answer)]

    def begin(self) -> None:
        for thread in self._threads:
            thread.start()

    def end(self) -> None:
        self._over.set()
        for thread in self._threads:
            thread.join()

    def start_more(self) -> None:
        """Lets one more execution start than the progress of the faults allows."""
        self._ahead = max(self._ahead, len(self.accepted) + 1 - int(len(self._work) * self.progress))

    @property
    def keeps_up(self) -> bool:
        """True when as many executions are started as the faults allow, or nearly so."""
        return len(self.accepted) + _AHEAD >= len(self._work) * self.progress or bool(self.trouble)

    @property
    def all_started(self) -> bool:
        return len(self.accepted) == len(self._work) or bool(self.trouble)

    def _guard(self, task: Callable[[Client], None]) -> None:
        try:
            task(self._make())
        except Exception as error:  # noqa: BLE001 - told by the verdict
            self.trouble.append(f"{type(error).__name__}: {error}")

    def _start_all(self, client: Client) -> None:
        for job in self._work:
            while not self._may_start(job.number) and not self._over.is_set():
                time.sleep(_LOOK)
            if self._over.is_set():
                return
            self._start(client, job)

    def _may_start(self, number: int) -> bool:
        ahead = number < len(self._work) * self.progress + self._ahead
        return ahead and (number % 10 != 0 or self._database.open(self._run_id) < _MOST)

    def _start(self, client: Client, job: Job) -> None:
        wanted = {
            "flow_id": job.case.flow["flow_id"],
            "input_data": {"value": job.value},
            "correlation_id": self._run_id,
            "labels": {"number": str(job.number)},
        }
        answer = client.post("/api/v1/flows/execute", key=f"{self._run_id}-{job.number}", json=wanted)
        if not answer.ok:
            raise StackError(f"{job.case.name} is not started: {answer.status_code} {answer.text[:500]}")
        self.accepted[job.number] = answer.json()["execution_id"]

    def _answer(self, client: Client) -> None:
        while not self._over.wait(_LOOK):
            waiting: dict[str, Any] = client.get("/api/v1/approvals?limit=200") or {"data": []}
            for approval in waiting["data"]:
                said = {"path": approval["path"], "approved": True}
                client.post(f"/api/v1/executions/{approval['execution_id']}/approvals", json=said)
