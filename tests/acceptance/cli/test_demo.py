"""`aispine demo`, without a terminal."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
from contextlib import AbstractContextManager
from pathlib import Path

from aispine.stack.postgres import SHARED_PLACE
from tests.acceptance.cli.conftest import SECONDS
from tests.support.processes import program


def demo(tmp_path: Path) -> AbstractContextManager[subprocess.Popen[str]]:
    env = {**os.environ, "TMPDIR": str(tmp_path)}
    return program([sys.executable, "-P", "-m", "cli", "demo"], env=env, stderr=subprocess.STDOUT)


def clusters_of(tmp_path: Path) -> list[str]:
    """The clusters that stand outside of the folder because PostgreSQL's user could not enter it."""
    return [str(file) for file in SHARED_PLACE.glob("*/home") if str(tmp_path) in file.read_text()]


def processes_of(tmp_path: Path) -> list[str]:
    """The command lines and folders of the processes that have to do with the folder."""
    return [pid.name for pid in Path("/proc").glob("[0-9]*") if str(tmp_path) in _where(pid)]


def _where(pid: Path) -> str:
    try:
        return f"{(pid / 'cmdline').read_bytes()!r} {(pid / 'cwd').readlink()}"
    except OSError:
        return ""


OUTCOMES = """
María a good passport verified verified
Søren blurred, then good verified verified
Óscar an expired passport expired expired
Ximena no reservation no reservation no reservation
Lucía hidden date, to a person verified by staff verified by staff
Juan front and back of a card verified verified
"""


def test_the_demo_shows_conversations_outcomes_and_results_and_leaves_nothing_behind(tmp_path: Path) -> None:
    with demo(tmp_path) as process:
        out, _ = process.communicate(timeout=8 * SECONDS)
    assert process.returncode == 0, out
    plain = " ".join(out.split())
    for outcome in OUTCOMES.strip().splitlines():
        assert outcome in plain
    for expected in (
        "kyc_onboarding 1.0.0",
        "Hola",
        "[picture, ",
        "el reverso",
        "Revisar documento (unclear)",
        "[Aprobar]",
        "document[0]/read completed",
        "review waiting",
        "habitación 207",
        "credit_analysis 1.0.0",
        '"decision"',
        "parallel_research 1.0.0",
        '"brief"',
        "chord",
        "aispine up",
    ):
        assert expected in plain
    assert len(re.findall(r"execution +completed", out)) == 2
    assert "\x1b" not in out
    assert list(tmp_path.iterdir()) == []
    assert clusters_of(tmp_path) == []
    assert processes_of(tmp_path) == []


def test_a_demo_that_is_terminated_leaves_nothing_behind(tmp_path: Path) -> None:
    with demo(tmp_path) as process:
        assert process.stdout is not None
        assert any("Starting" in line for line in process.stdout)
        process.send_signal(signal.SIGTERM)
        out, _ = process.communicate(timeout=2 * SECONDS)
    assert process.returncode == 128 + signal.SIGTERM, out
    assert list(tmp_path.iterdir()) == []
    assert clusters_of(tmp_path) == []
    assert processes_of(tmp_path) == []
