from __future__ import annotations

import json
import re
import signal
import subprocess
import sys

import pytest
import requests

from tests.integration.agent import remote
from tests.support.processes import program
from tests.unit.agent.support import write_agent


@pytest.fixture
def run(tmp_path):
    def command(*arguments):
        return subprocess.run(
            [sys.executable, "-m", "cli", "agent", *map(str, arguments)],
            env={"AISPINE_HOME": str(tmp_path / "home"), "PATH": "/usr/bin"},
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
        )

    return command


@pytest.mark.parametrize(
    ("kind", "file", "checks"), [("python", "agent.py", 4), ("llm", "agent.yaml", 5), ("http", "app.py", 8)]
)
def test_create_then_test_passes_at_once_and_shows_each_check(run, tmp_path, kind, file, checks):
    made = run("create", "invoice_reader", "--kind", kind, "--directory", tmp_path)
    assert made.returncode == 0
    assert f"created {tmp_path}/invoice_reader/{file}" in made.stdout
    tested = run("test", tmp_path / "invoice_reader", "--output", "json")
    assert tested.returncode == 0, tested.stdout
    found = json.loads(tested.stdout)
    assert [(check["name"], check["problem"]) for check in found if not check["passed"]] == []
    assert len(found) == checks


def test_an_application_that_does_not_start_says_why(run, tmp_path):
    run("create", "broken", "--kind", "http", "--directory", tmp_path)
    (tmp_path / "broken" / "app.py").write_text("import a_module_that_is_not_there\n")
    tested = run("test", tmp_path / "broken")
    assert tested.returncode == 1
    assert "app.py can be served" in tested.stdout
    assert "a_module_that_is_not_there" in tested.stdout.replace("\n", "")


def test_a_failing_sample_is_shown_and_ends_with_1(run, tmp_path):
    write_agent(tmp_path / "a", "def execute(input, config, context): return {'n': 1}")
    (tmp_path / "a" / "samples").mkdir()
    (tmp_path / "a" / "samples" / "s.yaml").write_text("name: two\ninput: {}\nexpect: {output: {n: 2}}\n")
    tested = run("test", tmp_path / "a")
    assert tested.returncode == 1
    assert "output.n is 1, expected 2" in tested.stdout


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (("create", "9lives"), "must be letters"),
        (("test", "/no/such/folder"), "neither a folder"),
        (("test", "http://"), "endpoint"),
        (("register", "http://127.0.0.1:1"), "Hint"),
    ],
)
def test_a_mistake_is_one_line_and_a_hint(run, arguments, says):
    ended = run(*arguments)
    assert ended.returncode in {1, 2}
    assert says in ended.stderr
    assert "Traceback" not in ended.stderr


def test_a_broken_definition_names_each_line(run, tmp_path):
    (tmp_path / "agent.yaml").write_text("agent_id: a\nversion: one\npool: fast\n")
    ended = run("test", tmp_path)
    assert ended.returncode == 2
    assert f"{tmp_path}/agent.yaml:2: `version` must be" in ended.stderr
    assert f"{tmp_path}/agent.yaml:3: `pool` must be" in ended.stderr


def test_a_url_is_tested(run):
    with remote.remote_agent() as agent:
        ended = run("test", agent.url)
    assert ended.returncode == 1
    assert "a body that is not JSON is refused with 400" in ended.stdout


def test_serve_serves_until_it_is_interrupted(tmp_path):
    write_agent(tmp_path / "a", "def execute(input, config, context): return {'n': input['n'] + 1}")
    command = [sys.executable, "-m", "cli", "agent", "serve", str(tmp_path / "a"), "--port", "0"]
    with program(command, stderr=subprocess.PIPE) as serving:
        url = re.search(r"http://\S+", serving.stdout.readline())[0]
        body = {"execution_id": "e", "node_id": "n", "input": {"n": 1}}
        assert requests.post(f"{url}/execute", json=body, timeout=10).json()["output"]["data"] == {"n": 2}
        serving.send_signal(signal.SIGINT)
        _, stderr = serving.communicate(timeout=10)
    assert serving.returncode == 130
    assert "Traceback" not in stderr


def test_a_taken_port_is_told(run, tmp_path):
    write_agent(tmp_path / "a", "def execute(input, config, context): return 1")
    with remote.remote_agent() as agent:
        ended = run("serve", tmp_path / "a", "--port", agent.url.rsplit(":", 1)[1])
    assert ended.returncode == 1
    assert "Choose another --port" in ended.stderr


@pytest.mark.parametrize("command", ["create", "test", "serve", "list", "register"])
def test_every_command_shows_an_example(run, command):
    shown = run(command, "--help")
    assert "Example:" in shown.stdout
    assert "--output" in shown.stdout
