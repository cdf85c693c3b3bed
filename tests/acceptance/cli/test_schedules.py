"""Schedules by the command, on a stack of its own."""

from __future__ import annotations

from typing import Any

from tests.acceptance.cli.conftest import Project
from tests.support.polling import eventually


def test_a_schedule_is_made_seen_to_start_its_flow_paused_and_deleted(project: Project) -> None:
    project.write_flow("tick_tock", "{id: a, type: input}")
    assert project.run("flow", "deploy", "tick_tock.yaml").code == 0
    made = project.run("schedule", "create", "tick_tock", "--every", "1s", "--input", '{"n": 1}', "--output", "json")
    assert made.code == 0, made.err
    schedule_id: str = made.json["schedule_id"]

    def fired() -> list[dict[str, Any]]:
        shown = project.run("schedule", "show", schedule_id, "--output", "json").json
        found: list[dict[str, Any]] = shown["firings"]
        return found

    firing = eventually(fired, 30, "a firing")[0]
    execution = project.run("execution", "show", firing["execution_id"], "--output", "json").json
    assert (execution["schedule_id"], execution["input"]) == (schedule_id, {"n": 1})
    assert schedule_id in project.run("execution", "show", firing["execution_id"]).out
    started = project.run("execution", "list", "--schedule", schedule_id, "--output", "json").json
    assert {row["flow_id"] for row in started} == {"tick_tock"}

    assert "paused" in project.run("schedule", "pause", schedule_id).out
    listed = project.run("schedule", "list", "--flow", "tick_tock")
    assert not [part for part in (schedule_id, "every 1.0 s", "people", "paused") if part not in listed.out], listed
    assert "NEXT" in project.run("schedule", "resume", schedule_id).out
    assert project.run("schedule", "delete", schedule_id).code == 0
    gone = project.run("schedule", "show", schedule_id)
    assert (gone.code, gone.out) == (1, "")
    assert gone.err.startswith("Error: there is no schedule")


def test_a_schedule_that_cannot_be_is_a_line_and_exit_code_2(project: Project) -> None:
    project.write_flow("never", "{id: a, type: input}")
    project.run("flow", "deploy", "never.yaml")
    refused = project.run("schedule", "create", "never", "--cron", "0 0 31 2 *")
    assert refused.code == 2
    assert "cron" in refused.err
