from __future__ import annotations

import itertools
from pathlib import Path

import pytest

from aispine.settings import Settings
from aispine.stack.worker import beat_command, environment, worker_command

SETTINGS = Settings(home=Path("/h"), engine_concurrency=3, cpu_concurrency=4, io_concurrency=50)


@pytest.mark.parametrize(
    ("name", "pool", "size"), [("engine", "prefork", "3"), ("cpu", "prefork", "4"), ("io", "threads", "50")]
)
def test_each_worker_has_its_queue_and_pool(name, pool, size):
    command = worker_command(name, SETTINGS)
    options = dict(itertools.pairwise(command))
    assert (options["-Q"], options["-P"], options["-c"], options["-n"]) == (name, pool, size, f"{name}@%h")


def test_a_concurrency_of_the_command_line_wins():
    command = worker_command("io", SETTINGS, 7)
    assert command[command.index("-c") + 1] == "7"


def test_task_events_are_off_unless_asked_for():
    assert "--without-heartbeat" in worker_command("io", SETTINGS)
    assert "--task-events" not in worker_command("io", SETTINGS)
    asked = worker_command("io", Settings(task_events=True))
    assert "--task-events" in asked
    assert "--without-heartbeat" not in asked


def test_beat_keeps_its_schedule_in_the_home():
    assert "/h/beat-schedule" in beat_command(SETTINGS)


def test_sigterm_means_a_soft_shutdown():
    assert environment({})["REMAP_SIGTERM"] == "SIGQUIT"
