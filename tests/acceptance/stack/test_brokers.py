"""A whole stack on another broker than Redis, as its user starts it and looks at it."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from cli import local_stack
from tests.support.environment import ROOT, Servers
from tests.support.polling import eventually
from tests.support.shapes import fan

pytestmark = [pytest.mark.core, pytest.mark.elsewhere]


def _said(home: Path, *arguments: str) -> Any:
    """What a command says as JSON, wherever it exits."""
    outer = {name: value for name, value in os.environ.items() if not name.startswith("AISPINE_")}
    env = {**outer, "AISPINE_HOME": str(home), "PYTHONPATH": str(ROOT)}
    argv = [sys.executable, "-P", "-m", "cli", *arguments, "--output", "json"]
    done = subprocess.run(argv, cwd=home.parent, env=env, capture_output=True, text=True, timeout=60, check=False)
    assert "Traceback" not in done.stderr
    return json.loads(done.stdout)


def _unwell(home: Path) -> dict[str, str]:
    return {check["name"]: check["detail"] for check in _said(home, "doctor") if check["state"] == "failed"}


def test_a_stack_starts_runs_flows_and_is_well_on_the_broker_that_is_named(servers: Servers, no_workers: None) -> None:
    with local_stack.temporary_home() as home:
        (home.parent / "aispine.toml").write_text(f"broker_url = {json.dumps(servers.broker_url)}\n", "utf-8")
        (home.parent / "wide.yaml").write_text(json.dumps(fan("wide", 5, pool="io")), "utf-8")
        with local_stack.running(home):
            ended = _said(home, "flow", "run", "wide.yaml", "--input", '{"x": 1}', "--wait")
            assert ended["output"] == {f"b{index}": {"x": 1} for index in range(5)}
            eventually(lambda: _unwell(home) == {}, 60, "a doctor without complaints")
            assert len(_said(home, "worker", "list")) == 4
