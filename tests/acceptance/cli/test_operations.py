"""What people do to executions, by the command, on a stack of their own."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from tests.acceptance.cli.conftest import Project
from tests.support.polling import eventually

ASK = "{id: ask, type: approval, name: Is it fine?, timeout: 1h, form: {properties: {room: {type: integer}}}}"
PAID = "{id: paid, type: wait, signal: payment, depends_on: [ask]}"
ITEM = "{id: read, type: processor, agent_id: echo, config: {fail_first: 1}, retry: {max_attempts: 1}}"
PAGES = f"{{id: pages, type: map, items: 'input.pages || [`1`, `2`]', on_item_error: fail, body: [{ITEM}]}}"


def waits(project: Project, execution_id: str, path: str) -> dict[str, Any]:
    def look() -> Any:
        nodes = project.run("execution", "show", execution_id, "--output", "json").json["nodes"]
        return next((node for node in nodes if node["path"] == path and node["status"] == "waiting"), None)

    found: dict[str, Any] = eventually(look, 20, f"{path} waiting")
    return found


def test_an_approval_is_found_and_answered_and_a_signal_ends_the_wait(
    project: Project, started: Callable[[str], str]
) -> None:
    execution_id = started(project.write_flow("asking", ASK, PAID))
    waits(project, execution_id, "ask")
    shown = project.run("execution", "show", execution_id)
    assert "for an answer until 20" in shown.out
    assert f"aispine approval answer {execution_id} ask --approve" in shown.err
    listed = project.run("approval", "list", "--execution", execution_id)
    assert "Is it fine?" in listed.out
    undecided = project.run("approval", "answer", execution_id, "ask")
    assert (undecided.code, "--approve or --reject" in undecided.err) == (2, True)
    misfit = project.run("approval", "answer", execution_id, "ask", "--approve", "--data", '{"room": "big"}')
    assert (misfit.code, "answer.room" in misfit.err) == (2, True)
    answered = project.run("approval", "answer", execution_id, "ask", "--reject", "--data", '{"room": 1}')
    assert answered.out == f"{execution_id} ask rejected\n"
    again = project.run("approval", "answer", execution_id, "ask", "--approve")
    assert (again.code, "does not wait" in again.err) == (1, True)
    assert waits(project, execution_id, "paid")["waiting_for"]["name"] == "payment"
    assert project.run("execution", "signal", execution_id, "payment", "--data", '{"eur": 5}').code == 0
    watched = project.run("flow", "watch", execution_id, "--output", "json")
    assert watched.json["output"] == {"eur": 5}
    assert project.run("execution", "signal", execution_id, "payment").code == 1


def test_a_paused_execution_waits_for_its_resume(project: Project, started: Callable[[str], str]) -> None:
    execution_id = started(project.write_flow("standing", "{id: nap, type: wait, signal: up}"))
    waits(project, execution_id, "nap")
    assert project.run("execution", "pause", execution_id).out == f"{execution_id} paused\n"
    timed = project.run("flow", "watch", execution_id, "--timeout", "1", "--output", "json")
    assert timed.json["status"] == "paused"
    assert "Paused" in project.run("execution", "show", execution_id).out
    assert project.run("execution", "resume", execution_id).code == 0
    assert project.run("execution", "signal", execution_id, "up").code == 0
    assert project.run("flow", "watch", execution_id).code == 0


def test_a_retried_execution_is_watched_beyond_its_first_end(project: Project) -> None:
    failed = project.run("flow", "run", project.write_flow("flaky", PAGES), "--wait", "--output", "json")
    execution_id = failed.json["execution_id"]
    assert (failed.code, "pages[" in failed.err) == (1, True)
    for _ in range(2):
        if project.run("execution", "show", execution_id, "--output", "json").json["status"] == "failed":
            project.run("execution", "retry", execution_id)
            watched = project.run("flow", "watch", execution_id)
    assert watched.code == 0, watched.err
    assert "execution failed" not in watched.err
    assert [line.split()[2] for line in watched.out.splitlines() if " execution " in line][-1] == "completed"
    assert "retried" in watched.out
    assert "2/2 done" in project.run("execution", "show", execution_id).out
    refused = project.run("execution", "retry", execution_id)
    assert (refused.code, "has completed" in refused.err) == (1, True)


def test_a_rerun_is_a_new_execution_that_names_the_old_one(project: Project) -> None:
    first = project.run("flow", "run", "flows/hello.yaml", "--input", '{"name": "ada"}', "--wait", "--output", "json")
    execution_id = first.json["execution_id"]
    again = project.run("execution", "rerun", execution_id, "--input", '{"name": "eva"}', "--output", "json").json
    assert (again["rerun_of"], again["input"]) == (execution_id, {"name": "eva"})
    kept = project.run("execution", "rerun", execution_id, "--from", "greet", "--output", "json").json
    assert project.run("flow", "watch", kept["execution_id"]).code == 0
    shown = project.run("execution", "show", kept["execution_id"]).out.splitlines()
    assert ["Rerun", "of", execution_id] in [line.split() for line in shown]
    unknown = project.run("execution", "rerun", execution_id, "--from", "nope")
    assert (unknown.code, "no node `nope`" in unknown.err) == (2, True)
