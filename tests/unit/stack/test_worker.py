from __future__ import annotations

import subprocess
from pathlib import Path

import pytest

from aispine.settings import Settings
from aispine.stack.worker import POOLS, Pool, beat_command, environment, worker_command

SETTINGS = Settings(home=Path("/h"), engine_concurrency=3, cpu_concurrency=4, io_concurrency=50)


@pytest.mark.parametrize(
    ("name", "pool", "size"), [("engine", "prefork", "3"), ("cpu", "prefork", "4"), ("io", "threads", "50")]
)
def test_each_worker_has_its_queue_pool_and_size(name, pool, size):
    assert POOLS[name] == Pool(queue=name, kind=pool)
    assert worker_command(name, SETTINGS)[-3:] == [name, "--concurrency", size]


def test_a_concurrency_of_the_command_line_wins():
    command = worker_command("io", SETTINGS, 7)
    assert command[-1] == "7"


def test_a_folder_named_like_a_package_does_not_stand_before_it(tmp_path):
    (tmp_path / "workers").mkdir()
    (tmp_path / "workers" / "__main__.py").write_text("raise SystemExit('the wrong one')")
    done = subprocess.run([*beat_command()[:-1], "--help"], cwd=tmp_path, capture_output=True, text=True, check=False)
    assert (done.returncode, "usage: python -m workers" in done.stdout) == (0, True), done.stderr


def test_what_the_user_says_about_warnings_is_kept():
    assert environment({"PYTHONWARNINGS": "error"})["PYTHONWARNINGS"].startswith("error,ignore:")
