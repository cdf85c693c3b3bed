"""A project with its own running stack, both made by the command, and the command as its user runs it."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from cli.init import create
from cli.local_stack import running, temporary_home
from tests.support.processes import program

SECONDS = 60


@dataclass(frozen=True, kw_only=True, slots=True)
class Done:
    code: int
    out: str
    err: str

    @property
    def json(self) -> Any:
        assert self.out, self.err
        return json.loads(self.out)


class Project:
    """A folder in which the command is run; its stack is found by the command itself."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def run(self, *arguments: str, stdin: str = "", **env: str) -> Done:
        done = subprocess.run(
            _argv(arguments),
            cwd=self.folder,
            env=_environment(env),
            input=stdin,
            capture_output=True,
            text=True,
            timeout=SECONDS,
            check=False,
        )
        assert "Traceback" not in done.stderr
        return Done(code=done.returncode, out=done.stdout, err=done.stderr)

    def interrupted(self, *arguments: str, when: str) -> Done:
        """Runs the command and presses Ctrl-C once it has printed a line with `when` in it."""
        with program(_argv(arguments), cwd=self.folder, env=_environment({}), stderr=subprocess.PIPE) as process:
            assert process.stdout is not None
            assert any(when in line for line in process.stdout)
            process.send_signal(signal.SIGINT)
            out, err = process.communicate(timeout=SECONDS)
        return Done(code=process.returncode, out=out, err=err)

    def write_flow(self, name: str, *nodes: str) -> str:
        """Writes a flow file and returns its name."""
        lines = [f"flow_id: {name}", "version: 1.0.0", f"name: {name}", "nodes:", *(f"  - {node}" for node in nodes)]
        (self.folder / f"{name}.yaml").write_text("\n".join(lines) + "\n", "utf-8")
        return f"{name}.yaml"


def _argv(arguments: tuple[str, ...]) -> list[str]:
    return [sys.executable, "-P", "-m", "cli", *arguments]


def _environment(extra: dict[str, str]) -> dict[str, str]:
    return {**{name: value for name, value in os.environ.items() if not name.startswith("AISPINE_")}, **extra}


@pytest.fixture(scope="session")
def project() -> Iterator[Project]:
    with temporary_home() as home:
        create(home.parent)
        with running(home.parent / ".aispine"):
            yield Project(home.parent)


@pytest.fixture
def started(project: Project) -> Callable[[str], str]:
    """Starts a flow file and returns the execution's id."""

    def start(file: str) -> str:
        execution_id: str = project.run("flow", "run", file, "--output", "json").json["execution_id"]
        return execution_id

    return start
