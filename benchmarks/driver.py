"""Runs flows over REST and notices their end when the stack announces it, as a client of its stream would."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, Final

import redis
import requests
from redis.client import PubSub

from aispine.errors import StackError
from aispine.events.wakeups import CHANNEL, decode
from benchmarks.database import Database
from benchmarks.stack import Stack

_ANSWER_SECONDS: Final = 30.0
_RUN_SECONDS: Final = 120.0
_LOOK_SECONDS: Final = 1.0
"""After so long without a word the store is asked, since an announcement may be lost."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Run:
    """One execution as its client saw it; all in seconds, counted from just before the POST."""

    answered: float
    first_started: float
    stored: float
    """When the end was recorded in the store."""
    noticed: float
    """When the client knew of the end."""


class Driver:
    """A client with one kept connection to the API."""

    def __init__(self, stack: Stack, database: Database, announcements: PubSub) -> None:
        self._url = stack.url
        self._database = database
        self._announcements = announcements
        self._http = requests.Session()
        self._http.headers["Authorization"] = f"Bearer {stack.api_key}"

    def close(self) -> None:
        self._http.close()

    def deploy(self, source: str) -> None:
        """Deploys the flow that a file holds."""
        self._post("/api/v1/flows", data=source, headers={"Content-Type": "application/yaml"})

    def register(self, endpoint: str) -> None:
        """Registers an agent over HTTP."""
        self._post("/api/v1/agents", json={"endpoint": endpoint})

    def submit(self, flow_id: str, data: Any = None) -> str:
        """Executes a flow and returns the execution's id."""
        given = {"value": 1} if data is None else data
        answer = self._post("/api/v1/flows/execute", json={"flow_id": flow_id, "input_data": given})
        return str(answer["execution_id"])

    def cancel(self, execution_id: str) -> None:
        """Cancels an execution."""
        self._post(f"/api/v1/executions/{execution_id}/cancel", json={})

    def run(self, flow_id: str, data: Any = None) -> Run:
        """Executes a flow and waits for its end. Raises `StackError` unless it completes."""
        at, start = time.time(), time.perf_counter()
        execution_id = self.submit(flow_id, data)
        answered = time.perf_counter() - start
        finished_at = self._wait(execution_id)
        noticed = time.perf_counter() - start
        first_started = self._database.first_start(execution_id) - at
        return Run(answered=answered, first_started=first_started, stored=finished_at - at, noticed=noticed)

    def health(self) -> float:
        """Seconds that `/health` takes to answer."""
        start = time.perf_counter()
        self._http.get(f"{self._url}/health", timeout=_ANSWER_SECONDS).raise_for_status()
        return time.perf_counter() - start

    def _post(self, path: str, **content: Any) -> Any:
        answer = self._http.post(f"{self._url}{path}", timeout=_ANSWER_SECONDS, **content)
        if not answer.ok:
            raise StackError(f"POST {path} answered {answer.status_code}: {answer.text[:500]}")
        return answer.json()

    def _wait(self, execution_id: str) -> float:
        deadline = time.monotonic() + _RUN_SECONDS
        while time.monotonic() < deadline:
            message = self._announcements.get_message(timeout=_LOOK_SECONDS)
            if message is not None and execution_id not in decode(message["data"]):
                continue
            end = self._database.end(execution_id)
            if end is None:
                continue
            if end.status != "completed":
                raise StackError(f"execution {execution_id} {end.status}")
            return end.finished_at
        raise StackError(f"execution {execution_id} did not end within {_RUN_SECONDS:g} s")


@contextmanager
def connected(stack: Stack, database: Database) -> Iterator[Driver]:
    """Yields a driver that hears the stack's announcements."""
    client = redis.Redis.from_url(stack.redis_url)
    with client, PubSub(client.connection_pool, ignore_subscribe_messages=True) as channel:
        channel.subscribe(CHANNEL)
        channel.get_message(timeout=_LOOK_SECONDS)
        driver = Driver(stack, database, channel)
        try:
            yield driver
        finally:
            driver.close()
