"""Flows through the command, on a real stack."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from pathlib import Path

import pytest

from cli.samples import sample
from tests.acceptance.cli.conftest import Project
from tests.support import polling

SLOW = "{id: slow, type: processor, agent_id: echo, config: {sleep_seconds: 15}, timeout: 90, pool: io}"
FAILING = "{id: bad, type: processor, agent_id: echo, config: {fail_first: 9}, retry: {max_attempts: 1}}"


@pytest.mark.parametrize(("name", "key"), [("credit_analysis", "decision"), ("parallel_research", "brief")])
def test_a_sample_flow_runs_to_one_json_object(project: Project, name: str, key: str) -> None:
    found = sample(name)
    done = project.run("flow", "run", str(found.flow), "--input", f"@{found.input}", "--wait", "--output", "json")
    assert (done.code, done.err) == (0, "")
    assert done.json["status"] == "completed"
    assert done.json["execution_id"]
    assert key in done.json["output"]


def test_the_project_of_init_runs_on_its_own_stack(project: Project) -> None:
    done = project.run("flow", "run", "flows/hello.yaml", "--input", "@flows/hello.input.json", "--watch")
    assert done.code == 0
    lines = [line.split()[1:3] for line in done.out.splitlines() if re.match(r"\d\d:\d\d:\d\d", line)]
    assert lines[0] == ["execution", "started"]
    assert lines[-1] == ["execution", "completed"]
    assert lines.index(["greet", "started"]) < lines.index(["greet", "completed"])
    assert ["ask", "skipped"] in lines
    assert '"greeting": "Hello, Ada!"' in done.out


def test_the_input_comes_from_stdin_too(project: Project) -> None:
    done = project.run(
        "flow", "run", "flows/hello.yaml", "--input", "-", "--wait", "-o", "json", stdin='{"name": "bo"}'
    )
    assert done.json["output"] == {"greeting": "Hello, Bo!"}


def test_with_json_the_progress_goes_to_stderr(project: Project) -> None:
    done = project.run("flow", "run", "flows/hello.yaml", "--watch", "--output", "json")
    assert done.json["status"] == "completed"
    assert "execution" in done.err


def test_a_failing_execution_exits_with_1_and_says_where(project: Project) -> None:
    done = project.run("flow", "run", project.write_flow("failing", FAILING), "--wait")
    assert done.code == 1
    assert "Error: the execution failed in `bad`: unavailable: attempt 1 of 9" in done.err
    assert "execution show" in done.err


def test_a_failing_execution_is_one_json_object_too(project: Project) -> None:
    done = project.run("flow", "run", project.write_flow("failing", FAILING), "--wait", "--output", "json")
    assert done.code == 1
    assert done.json["status"] == "failed"


def test_the_logs_show_what_an_agent_wrote(project: Project, started: Callable[[str], str]) -> None:
    found = project.run("flow", "run", "flows/hello.yaml", "--input", '{"name": "ada"}', "--wait", "--output", "json")
    execution_id = found.json["execution_id"]
    for arguments in (["--node", "greet"], ["--follow"], []):
        done = project.run("flow", "logs", execution_id, *arguments)
        assert (done.code, done.err) == (0, "")
        assert done.out.startswith("greet")
        assert "greeting Ada" in done.out
    assert project.run("flow", "logs", execution_id, "--node", "receive").out == ""


def test_a_watch_that_is_left_lets_the_execution_go_on_until_it_is_cancelled(
    project: Project, started: Callable[[str], str]
) -> None:
    execution_id = started(project.write_flow("slow", SLOW))
    left = project.interrupted("flow", "watch", execution_id, when="slow")
    assert left.code == 130
    assert f"aispine flow watch {execution_id}" in left.err
    waited = project.run("flow", "watch", execution_id, "--timeout", "0.2")
    assert waited.code == 1
    assert "has not ended after 0.2 s" in waited.err
    assert project.run("execution", "cancel", execution_id, "--reason", "a test").code == 0
    watched = project.run("flow", "watch", execution_id)
    assert watched.code == 1
    assert "Error: the execution was cancelled" in watched.err
    shown = project.run("execution", "show", execution_id, "--output", "json").json
    assert shown["status"] == "cancelled"
    assert [node["status"] for node in shown["nodes"]] == ["cancelled"]
    assert project.run("execution", "cancel", execution_id).code == 0


def test_an_ended_execution_cannot_be_cancelled(project: Project) -> None:
    execution_id = project.run("flow", "run", "flows/hello.yaml", "--wait", "-o", "json").json["execution_id"]
    done = project.run("execution", "cancel", execution_id)
    assert done.code == 1
    assert "the execution is completed" in done.err


def test_a_timeout_with_json_shows_where_the_execution_stands(project: Project) -> None:
    file = project.write_flow("slow", SLOW)
    done = project.run("flow", "run", file, "--wait", "--timeout", "0.2", "--output", "json")
    assert done.code == 1
    assert done.json["status"] in {"queued", "running"}
    project.run("execution", "cancel", done.json["execution_id"])


def test_versions_are_deployed_compared_and_deleted(project: Project) -> None:
    node = "{id: a, type: transform, output: {count: 1}}"
    file = project.folder / project.write_flow("counted", node)
    assert project.run("flow", "deploy", file.name).out == f"{file.name}: counted 1.0.0 deployed\n"
    assert project.run("flow", "deploy", file.name).out == f"{file.name}: counted 1.0.0 unchanged\n"
    file.write_text(file.read_text().replace("count: 1", "count: 2"))
    refused = project.run("flow", "deploy", file.name)
    assert refused.code == 1
    assert "1.0.1" in refused.err
    assert project.run("flow", "diff", "counted", "1.0.0", file.name).code == 1
    file.write_text(file.read_text().replace("1.0.0", "1.1.0"))
    assert project.run("flow", "deploy", file.name, "--output", "json").json[0]["created"] is True
    versions = project.run("flow", "versions", "counted", "--output", "json").json
    assert [version["version"] for version in versions] == ["1.1.0", "1.0.0"]
    diff = project.run("flow", "diff", "counted", "1.0.0", "1.1.0")
    assert "-version: 1.0.0\n+version: 1.1.0\n" in diff.out
    assert project.run("flow", "show", "counted", "--source").out == file.read_text()
    assert "transform" in project.run("flow", "show", "counted").out
    assert "counted" in project.run("flow", "list").out
    old = project.run("flow", "run", "counted", "--version", "1.0.0", "--wait", "--output", "json")
    assert old.json["output"] == {"count": 1}
    assert project.run("flow", "delete", "counted").code == 0
    assert project.run("flow", "show", "counted").code == 1


def test_nothing_is_deployed_when_one_of_several_files_has_problems(project: Project) -> None:
    good = project.write_flow("innocent", "{id: a, type: input}")
    bad = project.write_flow("guilty", "{id: a, type: inptu}")
    done = project.run("flow", "deploy", good, bad)
    assert done.code == 2
    assert "guilty.yaml:5:" in done.err
    assert project.run("flow", "show", "innocent").code == 1


def test_an_agent_that_is_made_while_the_stack_runs_is_found(project: Project) -> None:
    made = project.run("agent", "create", "word_counter")
    assert (project.folder / "agents" / "word_counter" / "agent.yaml").is_file(), made.out
    node = "{id: a, type: processor, agent_id: word_counter@^1.0, input: {text: one two}}"
    file = project.write_flow("counts_words", node)
    polling.eventually(lambda: project.run("flow", "deploy", file).code == 0, seconds=30)
    assert project.run("flow", "run", "counts_words", "--wait", "--output", "json").json["output"] == {"words": 2}
    (own,) = [
        each for each in project.run("agent", "list", "--output", "json").json if each["agent_id"] == "word_counter"
    ]
    assert own["official"] is False


def test_an_agent_that_is_not_there_is_a_problem_with_its_place(project: Project) -> None:
    done = project.run("flow", "deploy", project.write_flow("lost", "{id: a, type: processor, agent_id: ecko}"))
    assert done.code == 2
    assert re.match(r"lost\.yaml:5:\d+: .*ecko.*echo", done.err)


def test_executions_are_found_by_what_they_were_started_with(project: Project) -> None:
    start = ["flow", "run", "flows/hello.yaml", "--label", "team=x", "--correlation-id", "c-7", "--wait", "-o", "json"]
    execution_id = project.run(*start).json["execution_id"]
    for filters in (["--label", "team=x"], ["--correlation-id", "c-7"], ["--label", "team=x", "--status", "completed"]):
        found = project.run("execution", "list", *filters, "--output", "json").json
        assert [row["execution_id"] for row in found] == [execution_id]
    assert project.run("execution", "list", "--label", "team=y").out == "No executions.\n"
    assert execution_id in project.run("execution", "list", "--flow", "hello", "--status", "completed").out


def test_the_same_idempotency_key_answers_with_the_same_execution(project: Project) -> None:
    start = ["flow", "run", "flows/hello.yaml", "--idempotency-key", "once", "--output", "json"]
    assert project.run(*start).json["execution_id"] == project.run(*start).json["execution_id"]
    other = project.run(*start, "--input", '{"name": "Eve"}')
    assert other.code == 2
    assert "Idempotency-Key" in other.err


def test_an_input_that_does_not_fit_is_refused_naming_the_field(project: Project) -> None:
    done = project.run("flow", "run", "flows/hello.yaml", "--input", '{"name": 3, "language": "de"}')
    assert done.code == 2
    assert "input.name: must be a string; it is 3" in done.err
    assert "input.language" in done.err


def test_the_key_is_tested(project: Project) -> None:
    assert project.run("auth", "test").code == 0
    refused = project.run("--api-key", "sk_wrong", "auth", "test")
    assert refused.code == 1
    assert "Hint:" in refused.err


def test_the_settings_of_the_environment_win_over_the_local_stack(project: Project) -> None:
    done = project.run("flow", "list", AISPINE_URL="http://127.0.0.1:9")
    assert done.code == 1
    assert "http://127.0.0.1:9 does not answer" in done.err


def test_version_names_the_api(project: Project) -> None:
    done = project.run("version", "--output", "json")
    assert done.json["api"]["version"] == done.json["version"]


def test_validate_and_compile_need_no_stack(project: Project, tmp_path: Path) -> None:
    flow = str(sample("parallel_research").flow)
    assert project.run("flow", "validate", flow, AISPINE_URL="http://127.0.0.1:9").code == 0
    tree = json.loads(project.run("flow", "compile", flow, "-o", "json", AISPINE_URL="http://127.0.0.1:9").out)
    assert tree["label"].startswith("flow parallel_research")
    assert "chord" in project.run("flow", "compile", flow).out
