"""Flower sees our workers, by its own API."""

from __future__ import annotations

import socket
import subprocess
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Final

import pytest
import requests

from aispine.settings import Settings
from aispine.stack.worker import worker_command
from tests.support.environment import ROOT, Servers, process_environment
from tests.support.flows import Flows
from tests.support.polling import eventually
from tests.support.shapes import echo, flow
from tests.support.workers import Workers

AUTH: Final = ("night", "watch")


@contextmanager
def running(argv: list[str], env: Mapping[str, str], log: Path) -> Iterator[None]:
    with log.open("wb") as output, subprocess.Popen(argv, env=env, cwd=ROOT, stdout=output, stderr=output) as process:
        try:
            yield
        finally:
            process.terminate()
            try:
                process.wait(20)
            except subprocess.TimeoutExpired:
                process.kill()


def free_port() -> int:
    with socket.socket() as found:
        found.bind(("127.0.0.1", 0))
        return int(found.getsockname()[1])


@pytest.fixture
def flower(workers: Workers, servers: Servers, tmp_path: Path) -> Iterator[str]:
    """The address of Flower, beside a worker of the pool `io` that sends task events."""
    workers.stop("io")
    port = free_port()
    env = {**process_environment(servers), "AISPINE_TASK_EVENTS": "true", "FLOWER_BASIC_AUTH": ":".join(AUTH)}
    command = [sys.executable, "-m", "cli", "worker", "flower", "--port", str(port)]
    io = worker_command("io", Settings(home=servers.home), 3)
    with running(command, env, tmp_path / "flower.log"), running(io, env, tmp_path / "io.log"):
        yield f"http://127.0.0.1:{port}"


def seen(address: str) -> dict[str, Any] | None:
    """The worker of `io` as Flower's API shows it, with what it says of its pool."""
    try:
        answer = requests.get(f"{address}/api/workers", params={"refresh": "1"}, auth=AUTH, timeout=10)
    except requests.ConnectionError:
        return None
    if answer.status_code != 200:
        return None
    return next((found for name, found in answer.json().items() if name.startswith("io@") and "stats" in found), None)


def tasks(address: str) -> dict[str, str]:
    """The state of each task by the name that Flower shows."""
    answer = requests.get(f"{address}/api/tasks", auth=AUTH, timeout=10)
    return {task["name"]: task["state"] for task in answer.json().values()}


def test_flower_sees_a_worker_and_the_tasks_that_it_runs(flower: str, flows: Flows) -> None:
    worker = eventually(lambda: seen(flower), 60, "a worker in Flower")
    assert worker["stats"]["pool"]["max-concurrency"] == 3
    assert [queue["name"] for queue in worker["active_queues"]] == ["io"]
    assert "aispine.run" in " ".join(worker["registered"])
    assert flows.run(flow("watched", echo("a", pool="io"))).status == "completed"
    eventually(lambda: tasks(flower).get("watched/a") == "SUCCESS", what="the task in Flower")
