from __future__ import annotations

import pytest

from aispine.agent import manifest
from aispine.errors import InvalidAgent
from tests.unit.agent.support import write_agent

GOOD = {"agent_id": "eddie", "version": "1.0.0", "endpoint": "https://agents.example.com/eddie"}


def problems(folder, text):
    folder.mkdir(exist_ok=True)
    (folder / "agent.yaml").write_text(text)
    (folder / "agent.py").write_text("def execute(input, config, context): return input\n")
    with pytest.raises(InvalidAgent) as caught:
        manifest.read(folder)
    return caught.value


def test_a_definition_is_read_whole(tmp_path):
    agent = write_agent(
        tmp_path / "a",
        "def execute(input, config, context): return input",
        more="""\
        name: Sample
        capabilities: [one, two]
        pool: io
        timeout: 12.5
        input_schema: {type: object}
        rate_limit: {requests_per_minute: 10}
        """,
    )
    assert (agent.agent_id, agent.version, agent.kind, agent.name) == ("sample", "1.0.0", "python", "Sample")
    assert (agent.pool, agent.timeout, agent.capabilities) == ("io", 12.5, ("one", "two"))
    assert agent.folder == str(tmp_path / "a")


def test_a_definition_comes_back_from_the_store_as_it_was(tmp_path):
    agent = write_agent(tmp_path, "def execute(input, config, context): return 1", more="capabilities: [x]\n")
    assert manifest.build(manifest.as_definition(agent), kind="python", folder=agent.folder) == agent


def test_all_problems_are_told_at_once_with_their_lines(tmp_path):
    error = problems(
        tmp_path,
        "agent_id: 9lives\nversion: 1.0\npool: fast\ntimeout: -1\ninput_schema: {type: objekt}\ndescripton: x\n",
    )
    told = {problem["field"]: problem["line"] for problem in error.errors}
    assert told == {"agent_id": 1, "version": 2, "pool": 3, "timeout": 4, "input_schema": 5, "descripton": 6}
    assert next(p for p in error.errors if p["field"] == "descripton")["hint"] == "Did you mean `description`?"


def test_a_key_given_twice_is_told(tmp_path):
    error = problems(tmp_path, "agent_id: a\nversion: 1.0.0\nagent_id: b\n")
    assert [problem["line"] for problem in error.errors] == [3]


@pytest.mark.parametrize(
    "text", ["", "just text", "- a\n- b\n", "a: [", "\0", "a: !!python/object:os.system {}", "{1: 2}", "a: &x [*x]"]
)
def test_what_is_no_definition_is_refused_clearly(tmp_path, text):
    assert problems(tmp_path, text).code == "invalid_agent"


def test_bytes_that_are_no_text_are_refused(tmp_path):
    (tmp_path / "agent.yaml").write_bytes(b"\xff\xfe\x00")
    with pytest.raises(InvalidAgent, match="UTF-8"):
        manifest.read(tmp_path)


def test_a_folder_without_a_definition_is_refused(tmp_path):
    with pytest.raises(InvalidAgent, match=r"has no agent\.yaml"):
        manifest.read(tmp_path)


def test_a_missing_entry_is_told(tmp_path):
    assert "entry" in problems(tmp_path, "agent_id: a\nversion: 1.0.0\nentry: main:run\n").message


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"endpoint": "ftp://x"}, "endpoint"),
        ({"endpoint": "http://"}, "endpoint"),
        ({"endpoint": "http://user:secret@x"}, "endpoint"),
        ({"endpoint": "http://x/?a=1"}, "endpoint"),
        ({"endpoint": "http://x y"}, "endpoint"),
        ({"endpoint": "http://x:99999"}, "endpoint"),
        ({"endpoint": 5}, "endpoint"),
        ({"endpoint": None}, "endpoint"),
        ({"pool": "cpu"}, "pool"),
        ({"rate_limit": {"per_day": 1}}, "rate_limit"),
        ({"max_concurrency": 0}, "max_concurrency"),
        ({"max_concurrency": 10_001}, "max_concurrency"),
        ({"max_concurrency": True}, "max_concurrency"),
        ({"max_concurrency": "5"}, "max_concurrency"),
        ({"max_concurrency": 1.5}, "max_concurrency"),
        ({"capabilities": "all"}, "capabilities"),
        ({"timeout": True}, "timeout"),
        ({"output_schema": {"$ref": "http://example.com/schema"}}, "output_schema"),
        ({"version": "01.0.0"}, "version"),
    ],
)
def test_a_registration_that_makes_no_sense_is_refused(change, field):
    with pytest.raises(InvalidAgent) as caught:
        manifest.registration({**GOOD, **change})
    assert caught.value.field == field


def test_an_http_agent_always_waits_in_a_thread():
    agent = manifest.registration(GOOD)
    assert (agent.kind, agent.pool, agent.name) == ("http", "io", "eddie")


def test_a_credential_is_not_shown():
    assert "secret" not in repr(manifest.registration(GOOD, credential="secret"))
