from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest
from click.testing import CliRunner

from aispine.agent.testing import load_agent
from aispine.flow import validation
from cli.main import main


def test_a_project_is_complete_and_valid(tmp_path: Path) -> None:
    result = CliRunner().invoke(main, ["init", str(tmp_path / "hello")])
    assert result.exit_code == 0
    folder = tmp_path / "hello"
    files = {str(path.relative_to(folder)) for path in folder.rglob("*") if path.is_file()}
    assert {".gitignore", "README.md", "aispine.toml", "flows/hello.yaml", "flows/hello.input.json"} < files
    assert validation.load((folder / "flows/hello.yaml").read_bytes()).flow_id == "hello"
    tested = CliRunner().invoke(main, ["flow", "test", str(folder)])
    assert tested.exit_code == 0, tested.output
    agent = load_agent(folder / "agents/greeter/tests/test_agent.py")
    assert [agent.misses(sample) for sample in agent.samples] == [[], []]


def test_the_settings_of_a_project_are_relative_to_it(tmp_path: Path) -> None:
    CliRunner().invoke(main, ["init", str(tmp_path)])
    code = "from aispine import settings; found = settings.load(); print(found.home, found.agents_path)"
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=tmp_path / "flows", capture_output=True, text=True, check=True, env={}
    )
    assert done.stdout.split() == [str(tmp_path / ".aispine"), str(tmp_path / "agents")]


@pytest.mark.parametrize("existing", ["README.md", "flows/hello.yaml", ".gitignore"])
def test_nothing_is_overwritten_and_nothing_is_written_by_halves(tmp_path: Path, existing: str) -> None:
    (tmp_path / existing).parent.mkdir(exist_ok=True)
    (tmp_path / existing).write_text("mine")
    result = CliRunner().invoke(main, ["init", str(tmp_path)])
    assert result.exit_code == 1
    assert f"{tmp_path / existing} exists already" in result.stderr
    assert [path.name for path in tmp_path.rglob("*") if path.is_file()] == [Path(existing).name]
    assert (tmp_path / existing).read_text() == "mine"


def test_a_folder_that_cannot_be_written_is_said_so(tmp_path: Path) -> None:
    (tmp_path / "flows").write_text("a file in the way")
    result = CliRunner().invoke(main, ["init", str(tmp_path)])
    assert result.exit_code == 2
    assert "cannot be written" in result.stderr
