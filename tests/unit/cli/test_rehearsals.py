"""`aispine flow test`, and the tests of the flows that come with AI Spine."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from cli.main import main
from tests.unit.docs.generated import ROOT

FLOWS = sorted(path for path in (ROOT / "flows").rglob("*.yaml") if not path.name.endswith(".test.yaml"))
FLOW = "flow_id: f\nversion: 1.0.0\nnodes: [{id: a, type: processor, agent_id: scorer}]\n"
TEST = "flow: f.yaml\ncases:\n  - {name: seven, mocks: {a: {output: 7}}, expect: {output: 7}}\n"


def _run(*words: str | Path) -> Result:
    return CliRunner().invoke(main, ["flow", "test", *map(str, words)])


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "f.yaml").write_text(FLOW)
    (tmp_path / "f.test.yaml").write_text(TEST)
    return tmp_path


@pytest.mark.parametrize("path", FLOWS, ids=lambda path: path.stem)
def test_every_flow_comes_with_a_test_that_passes(path: Path) -> None:
    result = _run(path)
    assert result.exit_code == 0, result.output


@pytest.mark.parametrize("name", ["", "f.yaml", "f.test.yaml"])
def test_a_folder_a_flow_file_and_a_test_file_mean_the_same_tests(folder: Path, name: str) -> None:
    result = _run(folder / name)
    assert result.exit_code == 0, result.output
    assert "1 passed, 0 failed" in result.output


def test_a_case_that_fails_shows_both_sides_and_exits_with_1(folder: Path) -> None:
    (folder / "f.test.yaml").write_text(TEST.replace("expect: {output: 7}", "expect: {output: {points: 8}}"))
    result = _run(folder)
    assert result.exit_code == 1
    lines = [line.strip() for line in result.output.splitlines()]
    assert "output:" in lines
    assert '-   "points": 8' in lines
    assert "+ 7" in lines
    assert lines[-1] == "0 passed, 1 failed"


def test_a_missing_answer_is_told_and_the_other_cases_run(folder: Path) -> None:
    (folder / "f.test.yaml").write_text(TEST + "  - {name: none, expect: {}}\n")
    result = _run(folder)
    assert result.exit_code == 1
    assert "`a` calls the agent `scorer`, and the case has no answer for it under `mocks`" in result.output
    assert "1 passed, 1 failed" in result.output


def test_the_results_are_there_for_programs(folder: Path) -> None:
    (folder / "f.test.yaml").write_text(TEST.replace("expect: {output: 7}", "expect: {output: 8}"))
    found = json.loads(_run(folder, "--output", "json").output)
    assert found["passed"] is False
    assert found["cases"][0]["differences"] == [{"what": "output", "expected": 8, "actual": 7}]


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("flow: f.yaml\n", ":1:1: a test file needs `cases`"),
        (TEST.replace("a:", "b:"), ":3:27: `mocks`: the flow has no node `b`"),
        (TEST.replace("f.yaml", "g.yaml"), "there is no flow file"),
    ],
)
def test_a_test_file_that_is_not_valid_exits_with_2(folder: Path, text: str, message: str) -> None:
    (folder / "f.test.yaml").write_text(text)
    result = _run(folder)
    assert result.exit_code == 2
    assert message in result.output


def test_a_flow_without_a_test_says_where_to_write_one(tmp_path: Path) -> None:
    (tmp_path / "f.yaml").write_text(FLOW)
    result = _run(tmp_path / "f.yaml")
    assert result.exit_code == 2
    assert f"Write {tmp_path / 'f.test.yaml'}." in result.output
