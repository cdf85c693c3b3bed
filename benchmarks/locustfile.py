"""Users of the public API, for Locust: they deploy, run, stream, list and cancel.

`make load` starts a stack and these users. Against a stack of yours:
`AISPINE_API_KEY=... locust -f benchmarks/locustfile.py --host https://spine.example.com`.
"""

from __future__ import annotations

import itertools
import os
import time
import uuid
from typing import Any, Final

import yaml
from locust import HttpUser, between, task

_API: Final = "/api/v1"
_LOOK_SECONDS: Final = 0.1
_PATIENCE: Final = 30.0
_STEPS: Final = 5
_TERMINAL: Final = frozenset({"completed", "failed", "cancelled", "timed_out"})


class Person(HttpUser):
    """Somebody with a flow of their own: five quick nodes, two of them at once, and one that waits to be cancelled."""

    wait_time = between(0.2, 1.0)

    def on_start(self) -> None:
        self.client.headers["Authorization"] = f"Bearer {os.environ['AISPINE_API_KEY']}"
        person = uuid.uuid4().hex[:12]
        self._flow, self._waiting = f"load_{person}", f"load_{person}_waits"
        self._versions = itertools.count(1)
        self.deploy()
        self._deploy(_file(self._waiting, "1.0.0", [{"id": "rest", "type": "wait", "seconds": 3600}]))

    @task(1)
    def deploy(self) -> None:
        """A next version of the flow."""
        self._deploy(_file(self._flow, f"1.{next(self._versions)}.0", _nodes()))

    @task(10)
    def run_flow(self) -> None:
        """Starts the flow and asks for its state until it has ended."""
        execution_id = self._execute(self._flow)
        if execution_id is None:
            return
        start, status = time.monotonic(), None
        while status not in _TERMINAL and time.monotonic() < start + _PATIENCE:
            time.sleep(_LOOK_SECONDS)
            status = _status(self.client.get(f"{_API}/executions/{execution_id}", name="GET /executions/{id}"))
        self._judge("flow until completed", status)

    @task(4)
    def stream(self) -> None:
        """Starts the flow and follows its events to the last one."""
        execution_id = self._execute(self._flow)
        if execution_id is None:
            return
        path = f"{_API}/executions/{execution_id}/stream"
        with self.client.get(
            path, name="GET /executions/{id}/stream", stream=True, catch_response=True, timeout=_PATIENCE
        ) as answer:
            last = ""
            for line in answer.iter_lines(decode_unicode=True):
                last = line.removeprefix("event: ") if line.startswith("event: ") else last
            if last != "execution.completed":
                answer.failure(f"the stream ended after `{last}`")

    @task(4)
    def look_around(self) -> None:
        """Lists what there is."""
        self.client.get(f"{_API}/executions?limit=20", name="GET /executions")
        self.client.get(f"{_API}/flows?limit=20", name="GET /flows")
        self.client.get(f"{_API}/agents", name="GET /agents")

    @task(2)
    def cancel(self) -> None:
        """Starts what would wait for an hour and cancels it."""
        execution_id = self._execute(self._waiting)
        if execution_id is None:
            return
        path = f"{_API}/executions/{execution_id}"
        self.client.post(f"{path}/cancel", json={}, name="POST /executions/{id}/cancel")
        status = _status(self.client.get(path, name="GET /executions/{id}"))
        self._judge("cancelled execution", status, wanted="cancelled")

    def _deploy(self, source: str) -> None:
        headers = {"Content-Type": "application/yaml"}
        self.client.post(f"{_API}/flows", data=source, headers=headers, name="POST /flows")

    def _execute(self, flow_id: str) -> str | None:
        body = {"flow_id": flow_id, "input_data": {"value": 1}}
        answer = self.client.post(f"{_API}/flows/execute", json=body, name="POST /flows/execute")
        return answer.json()["execution_id"] if answer.ok else None

    def _judge(self, name: str, status: str | None, wanted: str = "completed") -> None:
        """What should have become of an execution is a line of the report, and a failure when it did not."""
        self.environment.events.request.fire(
            request_type="OUTCOME",
            name=name,
            response_time=0,
            response_length=0,
            exception=None if status == wanted else RuntimeError(f"it is {status}"),
        )


def _status(answer: Any) -> str | None:
    return answer.json()["status"] if answer.ok else None


def _nodes() -> list[dict[str, Any]]:
    echo = {"type": "processor", "agent_id": "echo"}
    followers = {1: [0], 2: [0], 3: [1, 2], 4: [3]}
    return [
        {"id": f"n{place}"} | echo | {"depends_on": [f"n{other}" for other in followers.get(place, [])]}
        for place in range(_STEPS)
    ]


def _file(flow_id: str, version: str, nodes: list[dict[str, Any]]) -> str:
    return yaml.safe_dump({"flow_id": flow_id, "version": version, "name": flow_id, "nodes": nodes}, sort_keys=False)
