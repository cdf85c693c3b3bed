"""The database of a local stack, backed up while it runs and restored into a new home."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from cli.local_stack import running, temporary_home
from tests.acceptance.cli.conftest import Project
from tests.support.polling import eventually


@pytest.fixture
def new_home() -> Iterator[Path]:
    with temporary_home() as home:
        yield home


def test_what_waits_in_one_stack_goes_on_in_another(project: Project, new_home: Path) -> None:
    project.write_flow("question", "{id: ask, type: approval}", "{id: done, type: output, depends_on: [ask]}")
    started = project.run("flow", "run", "question.yaml", "--output", "json")
    execution_id: str = started.json["execution_id"]
    eventually(lambda: "waiting" in project.run("execution", "show", execution_id).out, 20, "the approval")
    file = project.folder / "monday.backup"
    made = project.run("db", "backup", str(file))
    assert (made.code, str(file) in made.out) == (0, True), made.err
    assert project.run("db", "backup", str(file)).code == 2
    refused = project.run("db", "restore", str(file))
    assert refused.code == 1
    assert "not empty" in refused.err

    new_home.mkdir(0o711)
    for name in ("encryption.keys", "api.key"):
        shutil.copy(project.folder / ".aispine" / name, new_home / name)
    there = {"AISPINE_HOME": str(new_home)}
    restored = project.run("db", "restore", str(file), **there)
    assert restored.code == 0, restored.err
    # What a stack leaves that was killed leads nowhere, and nobody is led there.
    stale = new_home / "stack.json"
    stale.write_text('{"database_url": "postgresql://postgres@/aispine?host=/nowhere"}')
    assert "revision" in project.run("db", "migrate", **there).out
    stale.unlink()
    with running(new_home) as client:
        answer = {"path": "ask", "approved": True}
        client.post(f"/api/v1/executions/{execution_id}/approvals", json=answer)

        def status() -> bool:
            return bool(client.get(f"/api/v1/executions/{execution_id}")["status"] == "completed")

        eventually(status, 20, "the end")
    here = project.run("execution", "show", execution_id, "--output", "json").json
    assert here["status"] == "waiting"


def test_what_is_no_backup_is_a_line_and_exit_code_2(project: Project) -> None:
    for name in ("no_such_file", "hello.txt"):
        (project.folder / "hello.txt").write_text("Hello")
        refused = project.run("db", "restore", name)
        assert refused.code == 2
        assert refused.err.startswith("Error: ")
