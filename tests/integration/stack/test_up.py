from __future__ import annotations

import json
import os
import signal
import socket
import stat
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest
from sqlalchemy import create_engine, text

from aispine.stack.address import Address, health
from tests.integration.stack.support import (
    STUBBORN,
    Up,
    alive,
    enterable_folder,
    eventually,
    processes_of,
    running,
    usable,
)


@pytest.fixture(scope="module")
def up() -> Iterator[Up]:
    """One stack for the tests that only look at it."""
    with enterable_folder() as folder:
        options = {"AISPINE_LOG_FORMAT": "json", "AISPINE_IO_CONCURRENCY": "5", "AISPINE_AGENTS_PATH": "mine"}
        with running(folder, **options) as started:
            yield started


def modes(path: Path) -> dict[Path, int]:
    return {parent: stat.S_IMODE(parent.stat().st_mode) for parent in path.parents}


def pids(up: Up) -> dict[str, int]:
    return {entry["name"]: entry["pid"] for entry in json.loads((up.home / "processes.json").read_text())}


def test_up_starts_everything_and_either_signal_stops_it_all(folder):
    folder.chmod(0o751)
    before = modes(folder / "home")
    keys = set()
    for number in (signal.SIGINT, signal.SIGTERM):
        with running(folder) as up:
            assert up.health()
            assert set(pids(up)) == {"postgres", "redis", "web", "idle"}
            keys.add(up.stack["api_key"])
            started = pids(up).values()
            assert up.end(number) == 0
            assert not any(map(alive, started))
        assert processes_of(folder) == []
        assert not (up.home / "stack.json").exists()
    assert len(keys) == 1, "the next start shows another key"
    assert modes(folder / "home") == before, "the mode of a folder above has changed"


def test_the_banner_and_the_stack_file_say_where_and_how(up):
    assert up.stack["url"] == f"http://127.0.0.1:{up.port}"
    assert up.stack["url"] in up.out
    assert up.stack["api_key"] in up.out
    for name in ("stack.json", "api.key", "encryption.keys"):
        assert stat.S_IMODE((up.home / name).stat().st_mode) == 0o600


def test_children_get_the_settings_but_not_the_owners_login(up):
    answer = up.health()
    env = answer["env"]
    assert env["AISPINE_WEB_DATABASE_URL"] == up.stack["web_database_url"]
    assert env["AISPINE_REDIS_URL"] == up.stack["redis_url"]
    assert env["AISPINE_IO_CONCURRENCY"] == "5"
    assert env["AISPINE_AGENTS_PATH"] == str(up.folder / "mine")
    assert "AISPINE_DATABASE_URL" not in env
    assert "AISPINE_API_KEY" not in env
    assert answer["cwd"] == str(up.home)


def test_a_second_up_says_where_the_first_one_is(up):
    second = up.once()
    assert second.returncode == 1
    assert f"already running at http://127.0.0.1:{up.port} (pid {up.process.pid})" in second.stderr
    assert up.health()


def test_a_taken_port_is_refused_before_anything_starts(folder):
    up = Up(folder)
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", up.port))
        taken.listen()
        refused = up.once()
    assert refused.returncode == 1
    assert f"port {up.port} " in refused.stderr
    assert "--port" in refused.stderr
    assert not (up.home / "postgres").exists()


def test_a_child_that_dies_is_started_again(up):
    first = up.health()["pid"]
    os.kill(first, signal.SIGKILL)
    eventually(lambda: (up.health() or {}).get("pid") not in {None, first})
    assert '"web was ended by signal 9; starts again in 1 s"' in up.err


@pytest.mark.parametrize("name", ["postgres", "redis"])
def test_a_server_that_dies_comes_back_where_it_was(up, name):
    first = pids(up)[name]
    os.kill(first, signal.SIGKILL)
    eventually(lambda: pids(up)[name] != first)
    eventually(lambda: usable(up.stack["database_url"], up.stack["redis_url"]))


def test_what_a_killed_up_left_hinders_nothing_and_is_ended_by_the_next(folder):
    (folder / "stubborn.py").write_text(STUBBORN)
    procfile = f"web: python {folder}/web.py\nstubborn: python {folder}/stubborn.py\n"
    with running(folder, procfile=procfile) as killed:
        eventually(lambda: "ready" in killed.err)
        old = pids(killed)
        killed.end(signal.SIGKILL)
        assert alive(old["stubborn"])
        record = killed.home / "processes.json"
        record.write_text(record.read_text().replace('"stop_seconds": 35.0', '"stop_seconds": 0.5'))
    with running(folder) as up:
        assert not any(map(alive, old.values()))
        assert up.health()
    assert processes_of(folder) == []


def test_a_web_that_cannot_start_ends_up_with_an_error(folder):
    up = Up(folder, procfile="web: false\n")
    failed = up.once()
    assert failed.returncode == 1
    assert "the web process does not answer" in failed.stderr
    assert processes_of(folder) == []
    assert not (up.home / "stack.json").exists()


def test_an_outside_database_needs_encryption_keys(folder):
    refused = Up(folder, AISPINE_DATABASE_URL="postgresql+psycopg2://nobody@127.0.0.1:1/none").once()
    assert refused.returncode == 1
    assert "AISPINE_ENCRYPTION_KEYS" in refused.stderr


def test_an_outside_database_that_does_not_answer_is_a_clear_error(folder):
    env = {"AISPINE_DATABASE_URL": "postgresql+psycopg2://nobody@127.0.0.1:1/none", "AISPINE_ENCRYPTION_KEYS": "k"}
    refused = Up(folder, **env).once()
    assert refused.returncode == 1
    assert "Traceback" not in refused.stderr
    assert "database" in refused.stderr
    assert processes_of(folder) == []


def test_a_broker_that_does_not_answer_is_named_by_its_setting(folder):
    refused = Up(folder, AISPINE_BROKER_URL="amqp://me:secret@127.0.0.1:1//").once()
    assert refused.returncode == 1
    assert "RabbitMQ does not answer at amqp://127.0.0.1:1//" in refused.stderr
    assert "AISPINE_BROKER_URL" in refused.stderr
    assert not {"Traceback", "secret"} & set(refused.stderr.split())
    assert processes_of(folder) == []


def test_servers_of_the_users_own_are_used(up, folder):
    env = {f"AISPINE_{name.upper()}": up.stack[name] for name in ("database_url", "redis_url", "encryption_keys")}
    with running(folder, **env) as inner:
        assert set(pids(inner)) == {"web", "idle"}
        assert inner.stack["redis_url"] == up.stack["redis_url"]


def test_every_line_is_json_when_asked_for(up):
    eventually(lambda: up.err.count("\n") >= 2)
    lines = [json.loads(line) for line in up.err.splitlines()]
    assert {("web", "web listens"), ("idle", "idle")} <= {(line["process"], line["event"]) for line in lines}


def test_doctor_finds_the_workers_missing_and_exits_1(up):
    done = subprocess.run(
        [*up.command[:3], "doctor", "--output", "json"], env=up.env, capture_output=True, text=True, check=False
    )
    checks = {check["name"]: check for check in json.loads(done.stdout)}
    assert done.returncode == 1
    # Without a worker and without beat nobody serves the queues and no heartbeat comes.
    troubled = {name for name, check in checks.items() if check["state"] != "ok"}
    assert "workers" in troubled
    assert troubled <= {"workers", "heartbeats", "queues"}
    assert "aispine worker engine" in checks["workers"]["remedy"]


def test_a_signal_while_starting_leaves_nothing(folder):
    up = Up(folder)
    process = subprocess.Popen(up.command, env=up.env, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    eventually((up.home / "processes.json").exists)
    process.send_signal(signal.SIGINT)
    out, _ = process.communicate(timeout=60)
    assert process.returncode == 0
    assert "is running" not in out
    assert processes_of(up.home) == []


def test_the_api_refuses_nobody_while_its_process_is_replaced_or_dead(folder):
    with running(folder, procfile="web: gunicorn --config python:api.gunicorn api.wsgi:app\n") as up:
        first = pids(up)["web"]
        done = subprocess.run(
            [*up.command[:3], "restart"], env=up.env, capture_output=True, text=True, check=False, timeout=60
        )
        assert (done.returncode, done.stdout) == (0, "restarted: web\n"), done.stderr
        second = pids(up)["web"]
        assert second != first
        refused = _restart_behind(up)
        assert (refused.returncode, pids(up)["web"]) == (1, second)
        assert "the database is behind this version" in refused.stderr
        assert "aispine db migrate" in refused.stderr
        assert up.health()
        os.killpg(second, signal.SIGKILL)
        address = Address(host="127.0.0.1", port=up.port)
        assert health(address, seconds=30), "the request waited for the next process"


def _restart_behind(up):
    """Restarts while the database is of an older version."""
    engine = create_engine(up.stack["database_url"])
    with engine.begin() as connection:
        connection.execute(text("UPDATE alembic_version SET version_num = '0001'"))
    engine.dispose()
    return subprocess.run(
        [*up.command[:3], "restart"], env=up.env, capture_output=True, text=True, check=False, timeout=60
    )


def test_a_restart_of_nothing_says_so(folder):
    up = Up(folder)
    done = subprocess.run([*up.command[:3], "restart"], env=up.env, capture_output=True, text=True, check=False)
    assert done.returncode == 1
    assert "no stack runs in" in done.stderr
