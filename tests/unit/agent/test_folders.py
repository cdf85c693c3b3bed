from __future__ import annotations

import runpy
import shutil
import subprocess
import sys
import threading
from pathlib import Path

import pytest
from werkzeug.serving import make_server

import aispine
from aispine.agent import checkup, folder, scaffold
from aispine.agent.folder import agent_folders, built_in, locate, search_path
from aispine.agent.sample import read_samples
from aispine.agent.testing import load_agent
from aispine.errors import AISpineError, Conflict, InvalidAgent, InvalidRequest
from aispine.settings import Settings
from tests.unit.agent.support import write_agent

ROOT = Path(aispine.__file__).parent.parent
CODE = "def execute(input, config, context): return input"


def run_pytest(path):
    command = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", "--rootdir", str(path), str(path)]
    return subprocess.run(command, cwd=path, env={"PYTHONPATH": str(ROOT)}, capture_output=True, text=True, check=False)


@pytest.mark.parametrize("kind", ["python", "http", "llm"])
def test_what_the_scaffold_makes_passes_its_own_tests(tmp_path, kind):
    files = scaffold.create("invoice-reader", tmp_path, kind)
    ended = run_pytest(tmp_path / "invoice-reader")
    assert ended.returncode == 0, ended.stdout
    assert not any("$" in path.read_text().replace("$ ", "").replace("${", "") for path in files)


@pytest.mark.parametrize(("kind", "count"), [("python", 4), ("llm", 5)])
def test_what_the_scaffold_makes_passes_the_checks(tmp_path, kind, count):
    scaffold.create("invoice_reader", tmp_path, kind)
    checks = checkup.check_folder(tmp_path / "invoice_reader", Settings(home=tmp_path))
    assert [check.problem for check in checks] == [None] * count


@pytest.mark.parametrize(("key", "well"), [("secret", True), ("other", False)])
def test_the_containers_health_check_sends_the_agents_key(tmp_path, monkeypatch, key, well):
    scaffold.create("invoice_reader", tmp_path, "http")
    made = tmp_path / "invoice_reader"
    assert "healthcheck.py" in (made / "Dockerfile").read_text()
    monkeypatch.setenv("AGENT_API_KEY", "secret")
    app = runpy.run_path(str(made / "app.py"))["app"]
    server = make_server("127.0.0.1", 0, app, threaded=True)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    try:
        env = {"AGENT_API_KEY": key, "AGENT_URL": f"http://127.0.0.1:{server.port}"}
        ended = subprocess.run([sys.executable, made / "healthcheck.py"], env=env, capture_output=True, check=False)
    finally:
        server.shutdown()
        thread.join()
        server.server_close()
    assert (ended.returncode == 0) is well


def test_the_id_of_a_built_in_agent_is_taken(tmp_path):
    with pytest.raises(Conflict, match="built-in agent `triage`"):
        scaffold.create("triage", tmp_path)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("name", ["", "9lives", "../up", "a b", "-x", "a/b", "x" * 101])
def test_a_name_that_cannot_be_an_id_makes_nothing(tmp_path, name):
    with pytest.raises(InvalidRequest):
        scaffold.create(name, tmp_path)
    assert list(tmp_path.iterdir()) == []


def test_a_folder_that_is_not_empty_is_left_alone(tmp_path):
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine" / "keep.txt").write_text("x")
    with pytest.raises(Conflict):
        scaffold.create("mine", tmp_path)
    assert [path.name for path in (tmp_path / "mine").iterdir()] == ["keep.txt"]


@pytest.mark.parametrize("path", sorted(built_in().iterdir()), ids=lambda path: path.name)
def test_a_built_in_agent_has_the_scaffolds_shape_and_passes_its_samples(path, tmp_path):
    agent = load_agent(path)
    code = {"agent.py"} if agent.definition.kind == "python" else set()
    assert {"agent.yaml", "README.md", "samples", "tests"} | code <= {entry.name for entry in path.iterdir()}
    assert not list(path.rglob("__init__.py"))
    assert agent.definition.agent_id == path.name
    assert agent.samples
    assert [agent.misses(sample) for sample in agent.samples] == [[] for _ in agent.samples]


def test_the_built_in_agents_pass_their_own_tests():
    paths = [str(path) for path in sorted(built_in().iterdir())]
    command = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", "--import-mode=importlib", *paths]
    ended = subprocess.run(command, cwd="/", env={"PYTHONPATH": str(ROOT)}, capture_output=True, text=True, check=False)
    assert ended.returncode == 0, ended.stdout


def test_the_search_goes_through_home_and_settings(tmp_path):
    settings = Settings(home=tmp_path / "home", agents_path=f"{tmp_path / 'one'}:{tmp_path / 'two'}")
    write_agent(tmp_path / "one" / "mine", CODE, agent_id="mine")
    assert search_path(settings)[1:] == (tmp_path / "home" / "agents", tmp_path / "one", tmp_path / "two")
    assert [path.name for path in agent_folders(tmp_path / "one")] == ["mine"]
    assert list(agent_folders(tmp_path / "two")) == []
    assert list(agent_folders(tmp_path / "one" / "mine")) == [tmp_path / "one" / "mine"]
    assert locate("mine", "/elsewhere/mine", settings) == str(tmp_path / "one" / "mine")
    assert locate("other", "", settings) is None
    assert locate("echo", "", settings) == str(folder.built_in() / "echo")


def sample(path, text):
    write_agent(path, CODE)
    (path / "samples").mkdir(exist_ok=True)
    (path / "samples" / "one.yaml").write_text(text)
    return path


@pytest.mark.parametrize(
    "text",
    [
        "", "[]", "name: x", "input: {}\nexpected: {}", "input: {}\nexpect: 5", "input: 1\nexpect: {code: oops}",
        "input: 1\nexpect: {result: 1}", "input: [", "input: .nan", "\0",
    ],
)  # fmt: skip
def test_a_sample_that_makes_no_sense_is_told_with_its_file(tmp_path, text):
    with pytest.raises(InvalidAgent, match=r"one\.yaml"):
        read_samples(sample(tmp_path, text))


@pytest.mark.parametrize(
    ("expect", "missed"),
    [
        ("output: {a: 1}", None),
        ("output: {b: {c: [1, 2]}}", None),
        ("output: {a: 2}", "output.a is 1, expected 2"),
        ("output: {b: {c: [1]}}", "output.b.c is [1, 2], expected [1]"),
        ("output: {z: 1}", "output.z is missing"),
        ("code: timeout", "was expected to fail with timeout, but succeeded"),
    ],
)
def test_a_sample_says_what_it_misses(tmp_path, expect, missed):
    sample(tmp_path, f"input: {{a: 1, b: {{c: [1, 2]}}}}\nexpect: {{{expect}}}\n")
    agent = load_agent(tmp_path)
    assert agent.misses(agent.samples[0]) == ([] if missed is None else [missed])


def test_a_broken_agent_fails_its_checks_without_a_traceback(tmp_path):
    sample(tmp_path, "input: {}\n")
    (tmp_path / "agent.py").write_text("import nowhere")
    checks = checkup.check_folder(tmp_path, Settings(home=tmp_path))
    assert [check.passed for check in checks] == [True, False, False]
    assert "nowhere" in checks[1].problem


def test_loading_from_outside_an_agent_is_refused(tmp_path):
    shutil.rmtree(tmp_path)
    with pytest.raises(AISpineError):
        load_agent(tmp_path)
