"""`aispine worker list|show`, and who may drain."""

from __future__ import annotations

import json
from typing import Any

import pytest
from click.testing import CliRunner

from aispine import settings
from cli.main import main
from tests.unit.cli.standin import Request, reply, serving

WORKER: dict[str, Any] = {
    "worker_id": "w3:7:abc",
    "name": "io@w3",
    "host": "w3",
    "pid": 7,
    "pool": "io",
    "state": "draining",
    "queues": ["io"],
    "slots": 64,
    "busy": 3,
    "free": 61,
    "nodes": [{"execution_id": "e1", "path": "pages[3]/ocr", "attempt": 2, "started_at": None, "seconds": 75.0}],
    "version": "9.9.9",
    "started_at": "2026-01-01T00:00:00.000000Z",
    "heartbeat_at": "2026-01-01T00:00:00.000000Z",
    "heartbeat_seconds": 1.5,
}
BEAT = {**WORKER, "worker_id": "w3:9:abc", "name": "beat@w3", "pool": "beat", "queues": [], "slots": 0, "nodes": []}


def run(*words: str) -> str:
    def answer(request: Request) -> Any:
        one = request.path.rpartition("/")[2] != "workers"
        return reply(WORKER if one else {"data": [BEAT, WORKER], "next_cursor": None})

    with serving(answer) as server:
        result = CliRunner().invoke(main, ["--url", server.url, "--api-key", "k", "worker", *words])
    assert result.exit_code == 0, result.output
    return result.output


def test_a_list_shows_slots_and_heartbeats_and_no_slots_of_beat() -> None:
    beat, io = run("list").splitlines()[1:]
    assert io.split()[0] == "io@w3"
    assert "draining" in io
    assert " 3 " in io
    assert " 61 " in io
    assert "1.5 s ago" in io
    assert beat.count(" - ") == 3


def test_one_worker_is_shown_with_what_it_runs() -> None:
    shown = run("show", "io@w3")
    assert "3 busy, 61 free" in shown
    assert shown.splitlines()[-1].split() == ["e1", "pages[3]/ocr", "2", "1", "m", "15", "s"]


def test_json_is_what_the_api_says() -> None:
    assert json.loads(run("show", "io@w3", "--output", "json")) == WORKER
    assert json.loads(run("list", "-o", "json")) == [BEAT, WORKER]


def test_draining_needs_the_engines_login(tmp_path: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AISPINE_HOME", str(tmp_path))
    monkeypatch.delenv("AISPINE_ENGINE_DATABASE_URL", raising=False)
    settings.current.cache_clear()
    result = CliRunner().invoke(main, ["worker", "drain", "io@w3"])
    settings.current.cache_clear()
    assert result.exit_code != 0
    assert "AISPINE_ENGINE_DATABASE_URL is not set" in result.output
