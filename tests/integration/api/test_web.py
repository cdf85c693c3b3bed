"""The web process as it runs: gunicorn with the configuration of the Procfile."""

from __future__ import annotations

import re
import socket
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager

import pytest
import requests
from sqlalchemy import delete

from aispine.store.database import Store
from aispine.store.models import ApiKey
from tests.integration.api.conftest import ECHO
from tests.support.environment import ROOT, Servers, process_environment
from tests.support.polling import eventually


class Web:
    """A running web process and a session with a key for it."""

    def __init__(self, servers: Servers, key: str, streams: int = 2) -> None:
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            port = free.getsockname()[1]
        self.url = f"http://127.0.0.1:{port}"
        self.http = requests.Session()
        self.http.headers["Authorization"] = f"Bearer {key}"
        limits = {"AISPINE_PORT": str(port), "AISPINE_WEB_THREADS": "2", "AISPINE_WEB_STREAMS": str(streams)}
        self.process = subprocess.Popen(
            [sys.executable, "-m", "gunicorn", "--config", "python:api.gunicorn", "api.wsgi:app"],
            env=process_environment(servers) | limits,
            cwd=ROOT,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )

    def answers(self) -> bool:
        assert self.process.poll() is None
        try:
            return self.http.get(f"{self.url}/health", timeout=2).ok
        except (requests.ConnectionError, requests.Timeout):
            return False

    def start_execution(self) -> str:
        self.http.post(f"{self.url}/api/v1/flows", data=ECHO, headers={"Content-Type": "application/yaml"}, timeout=10)
        started = self.http.post(f"{self.url}/api/v1/flows/execute", json={"flow_id": "echo-flow"}, timeout=10)
        return str(started.json()["execution_id"])

    def figures(self) -> dict[str, float]:
        """What the process says of its streams."""
        text = self.http.get(f"{self.url}/metrics", timeout=5).text
        found = re.findall(r"^aispine_(event_\w+) (\S+)$", text, re.MULTILINE)
        return {name: float(value) for name, value in found}

    def stream(self, execution_id: str) -> requests.Response:
        return self.http.get(f"{self.url}/api/v1/executions/{execution_id}/stream", stream=True, timeout=10)


@pytest.fixture
def web(no_workers: None, settings_env: Servers, api_key: str) -> Iterator[Web]:
    with running_web(Web(settings_env, api_key)) as running:
        yield running


@pytest.fixture
def wide_web(no_workers: None, settings_env: Servers, api_key: str) -> Iterator[Web]:
    with running_web(Web(settings_env, api_key, streams=100)) as running:
        yield running


@contextmanager
def running_web(running: Web) -> Iterator[Web]:
    try:
        eventually(running.answers, 90, "the start of the web process")
        yield running
    finally:
        running.http.close()
        running.process.terminate()
        assert running.process.wait(15) == 0


def test_streams_take_no_thread_from_other_requests_and_end_with_the_process(web: Web) -> None:
    execution_id = web.start_execution()
    streams = [web.stream(execution_id) for _ in range(2)]
    assert [stream.status_code for stream in streams] == [200, 200]
    assert web.stream(execution_id).status_code == 503
    assert web.figures() == {"event_streams": 2, "event_stream_readers": 1}
    shown = web.http.get(f"{web.url}/api/v1/executions/{execution_id}", timeout=5)
    assert shown.json()["status"] == "queued"
    streams.pop().close()
    eventually(lambda: web.figures()["event_streams"] == 1, 10, "the noticing of a client that has gone")
    web.http.post(f"{web.url}/api/v1/executions/{execution_id}/cancel", timeout=5)
    assert b"execution.cancelled" in streams.pop().content


def test_many_streams_get_every_event_over_one_reader_for_each_execution(wide_web: Web) -> None:
    held = [wide_web.start_execution() for _ in range(5)]
    streams = [(execution_id, wide_web.stream(execution_id)) for execution_id in held * 20]
    assert {stream.status_code for _, stream in streams} == {200}
    assert wide_web.figures() == {"event_streams": 100, "event_stream_readers": 5}
    for execution_id in held:
        assert wide_web.http.post(f"{wide_web.url}/api/v1/executions/{execution_id}/cancel", timeout=10).ok
    for execution_id, stream in streams:
        events = wide_web.http.get(f"{wide_web.url}/api/v1/executions/{execution_id}/events", timeout=10).json()
        seen = [line for line in stream.text.splitlines() if line.startswith("event: ")]
        assert seen == [f"event: {event['type']}" for event in events["data"]]
        assert seen[-1] == "event: execution.cancelled"
    eventually(lambda: wide_web.figures()["event_streams"] == 0, 10, "the end of all")


def test_a_stopping_process_lets_its_streams_go(web: Web) -> None:
    stream = web.stream(web.start_execution())
    chunks = stream.iter_content(None)
    assert next(chunks).startswith(b"retry:")
    web.process.terminate()
    assert b"".join(chunks) == b""
    assert web.process.wait(15) == 0


def test_without_a_database_the_process_says_what_to_do(servers: Servers) -> None:
    env = {name: value for name, value in process_environment(servers).items() if "URL" not in name}
    command = [sys.executable, "-m", "gunicorn", "--config", "python:api.gunicorn", "api.wsgi:app"]
    ended = subprocess.run(command, env=env, cwd=ROOT, capture_output=True, text=True, timeout=30, check=False)
    assert ended.returncode == 1
    assert "aispine up" in ended.stderr
    assert "Traceback" not in ended.stderr


def test_a_key_that_goes_is_refused_at_once(web: Web, engine_store: Store, tenant: str) -> None:
    assert web.http.get(f"{web.url}/api/v1/flows", timeout=5).status_code == 200
    with engine_store.session(None) as session:
        session.execute(delete(ApiKey).filter_by(tenant_id=tenant))
    assert web.http.get(f"{web.url}/api/v1/flows", timeout=5).status_code == 401
