"""`aispine flow deploy` and what the API says about a file."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result

from cli.flow_files import without_tests
from cli.main import main
from tests.unit.cli.standin import Answer, Reply, Request, problem, reply, serving

FLOW = "{flow_id: a, version: 1.0.0, name: a, nodes: [{id: b, type: input}]}"


@pytest.fixture
def file(tmp_path: Path) -> Path:
    (tmp_path / "loop.yaml").write_text(FLOW)
    return tmp_path / "loop.yaml"


def deploy(file: Path, status: int, **members: Any) -> Result:
    with serving(lambda _: problem(status, **members)) as server:
        return CliRunner().invoke(main, ["--url", server.url, "--api-key", "sk_x", "flow", "deploy", str(file)])


def mistake(message: str, line: int) -> Mapping[str, Any]:
    return {"code": "c", "message": message, "file": "loop.yaml", "line": line, "column": 5, "hint": "Do so."}


def test_a_problem_names_its_file_once(file: Path) -> None:
    errors = [mistake("not yet", 6), mistake("never", 7)]
    result = deploy(file, 422, code="invalid_flow", detail="loop.yaml:6:5: not yet (and 1 more)", errors=errors)
    assert result.stderr.splitlines() == [
        f"{file}:6:5: not yet (Do so.)",
        f"{file}:7:5: never (Do so.)",
        f"Error: 2 problems in {file}",
    ]
    assert result.exit_code == 2


def test_what_is_no_problem_of_the_text_names_the_file_too(file: Path) -> None:
    result = deploy(file, 409, code="version_conflict", detail="a 1.0.0 is deployed", hint="Use 1.0.1.")
    assert result.stderr.splitlines() == [f"Error: {file}: a 1.0.0 is deployed", "Hint: Use 1.0.1."]


@pytest.fixture
def files(tmp_path: Path) -> list[str]:
    for name in ("a", "b", "c"):
        (tmp_path / f"{name}.yaml").write_text(FLOW.replace("flow_id: a", f"flow_id: {name}x"))
    return [str(tmp_path / f"{name}.yaml") for name in ("a", "b", "c")]


def deploy_all(files: list[str], answer: Answer) -> tuple[Result, list[str]]:
    """What was said, and which files were asked to be deployed."""
    with serving(answer) as server:
        result = CliRunner().invoke(main, ["--url", server.url, "flow", "deploy", *files])
    return result, [each.path[-6:] for each in server.requests if "/validate" not in each.path]


def said(result: Result) -> list[str]:
    return [line.rpartition("/")[2] for line in result.stdout.splitlines()]


@pytest.mark.parametrize(("code", "exit_code"), [("unknown_agent", 2), ("version_conflict", 1)])
def test_nothing_is_deployed_when_the_api_refuses_one_of_several(files: list[str], code: str, exit_code: int) -> None:
    def answer(request: Request) -> Reply:
        wrong = [{"code": code, "message": "no", "file": "b.yaml", "hint": None}] if "b.yaml" in request.path else []
        return reply({"problems": wrong})

    result, asked = deploy_all(files, answer)
    assert asked == []
    assert said(result) == ["a.yaml: not tried", "b.yaml: failed", "c.yaml: not tried"]
    assert result.stderr.splitlines() == [
        f"{files[1]}: no",
        "Error: 1 problem in 1 file; nothing was deployed",
    ]
    assert result.exit_code == exit_code


def test_what_fails_only_when_it_is_deployed_is_said_with_what_was_done_before(files: list[str]) -> None:
    def answer(request: Request) -> Reply:
        if "/validate" in request.path:
            return reply({"problems": []})
        if "b.yaml" in request.path:
            return problem(409, code="conflict", detail="busy")
        return reply({"flow_id": "ax", "version": "1.0.0", "created": True}, 201)

    result, asked = deploy_all(files, answer)
    assert asked == ["a.yaml", "b.yaml"]
    assert said(result) == ["a.yaml: ax 1.0.0 deployed", "b.yaml: failed", "c.yaml: not tried"]
    assert result.exit_code == 1


def test_test_files_among_flows_are_passed_over(tmp_path: Path) -> None:
    flow, beside = tmp_path / "f.yaml", tmp_path / "f.test.yaml"
    assert without_tests([beside, flow]) == [flow]
    assert without_tests([beside]) == [beside]
