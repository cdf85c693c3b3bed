from __future__ import annotations

import os
import signal
import sys
import time
from dataclasses import replace

import pytest

from aispine.stack.ledger import Ledger
from aispine.stack.process import Program
from aispine.stack.supervisor import Backoff, Supervisor
from tests.integration.stack.support import STUBBORN, alive, eventually

QUICK = Backoff(first=0.02, ceiling=0.1, healthy=60.0)


class Lines:
    """An output that remembers."""

    def __init__(self) -> None:
        self.all: list[tuple[str, str]] = []

    def line(self, name: str, text: str) -> None:
        self.all.append((name, text))

    def of(self, name: str) -> list[str]:
        return [text for other, text in self.all if other == name]


@pytest.fixture
def lines() -> Lines:
    return Lines()


@pytest.fixture
def supervisor(folder, lines):
    supervisor = Supervisor(lines, Ledger(folder), QUICK)
    yield supervisor
    supervisor.stop()


def python(folder, name: str, code: str, **options) -> Program:
    path = folder / f"{name}.py"
    path.write_text(code)
    return Program(name=name, argv=(sys.executable, "-u", str(path)), env=dict(os.environ), cwd=folder, **options)


IDLE = "import time\nprint('ready')\ntime.sleep(1000)\n"
POLITE = """\
import signal, sys
def end(*arguments):
    print("bye")
    sys.exit()
signal.signal(signal.SIGTERM, end)
print("ready")
signal.pause()
"""


def test_what_a_program_prints_is_shown_line_by_line(folder, supervisor, lines):
    supervisor.start([python(folder, "talker", "print('one\\ntwo'); print('end', end='')\nimport sys; sys.exit(3)")])
    supervisor.run(until=lambda: "up" in {name for name, _ in lines.all}, seconds=20)
    assert lines.of("talker")[:3] == ["one", "two", "end"]
    assert lines.of("up")[0] == "talker exited with code 3; starts again in 0.02 s"


def test_a_program_that_dies_is_started_again_and_again(folder, supervisor, lines):
    supervisor.start([python(folder, "mortal", "print('here')")])
    assert supervisor.run(until=lambda: lines.of("mortal").count("here") >= 3, seconds=20)
    assert supervisor.failures("mortal") >= 2


def test_a_program_that_cannot_be_started_is_tried_again(folder, supervisor, lines):
    path = folder / "later"
    supervisor.start([Program(name="later", argv=(str(path),), env=dict(os.environ))])
    assert supervisor.run(until=lambda: supervisor.failures("later") >= 2, seconds=20)
    assert "cannot start later" in lines.of("up")[0]
    path.write_text("#!/bin/sh\necho made\nsleep 1000\n")
    path.chmod(0o755)
    assert supervisor.run(until=lambda: lines.of("later") == ["made"], seconds=20)


def test_nothing_of_a_dead_programs_group_is_left(folder, supervisor, lines):
    code = "import subprocess, os\nchild = subprocess.Popen(['sleep', '1000'])\nprint(child.pid)\nos.abort()"
    supervisor.start([python(folder, "parent", code)])
    assert supervisor.run(until=lambda: bool(lines.of("up")), seconds=20)
    assert eventually(lambda: not alive(int(lines.of("parent")[0])))


def test_a_stubborn_program_is_killed_after_its_limit(folder, supervisor, lines):
    supervisor.start([python(folder, "stubborn", STUBBORN, stop_seconds=0.2)])
    assert supervisor.run(until=lambda: bool(lines.of("stubborn")), seconds=20)
    supervisor.stop()
    assert "stubborn did not end in time and is killed" in lines.of("up")


def test_impatience_kills_at_once_but_not_the_servers(folder, supervisor, lines):
    supervisor.start([python(folder, "server", POLITE, tier=0), python(folder, "stubborn", STUBBORN, stop_seconds=60)])
    assert supervisor.run(until=lambda: len(lines.all) == 2, seconds=20)
    before = time.monotonic()
    supervisor.stop(impatient=lambda: True)
    assert time.monotonic() - before < 30
    assert lines.of("server") == ["ready", "bye"]


def test_a_lower_tier_ends_after_the_higher_one(folder, supervisor, lines):
    supervisor.start([python(folder, "server", POLITE, tier=0), python(folder, "client", POLITE)])
    assert supervisor.run(until=lambda: len(lines.all) == 2, seconds=20)
    supervisor.stop()
    assert [name for name, text in lines.all if text == "bye"] == ["client", "server"]


def test_a_reused_pid_is_not_mistaken_for_a_leftover(folder, supervisor, lines):
    supervisor.start([python(folder, "idle", IDLE)])
    assert supervisor.run(until=lambda: bool(lines.of("idle")), seconds=20)
    path = folder / "processes.json"
    path.write_text(path.read_text().replace('"identity": "', '"identity": "of another'))
    assert Ledger(folder).end_leftovers() == []
    supervisor.run(until=lambda: False, seconds=0.3)
    assert lines.of("up") == []


def test_a_leftover_is_ended(folder, supervisor, lines):
    supervisor.start([python(folder, "idle", IDLE, stop_signal=signal.SIGTERM)])
    assert supervisor.run(until=lambda: bool(lines.of("idle")), seconds=20)
    assert Ledger(folder).end_leftovers() == ["idle"]


def test_a_list_that_cannot_be_written_ends_nothing_and_is_written_later(folder, lines):
    gone = folder / "gone"
    supervisor = Supervisor(lines, Ledger(gone), QUICK)
    try:
        supervisor.start([python(folder, "idle", IDLE)])
        assert supervisor.run(until=lambda: "ready" in lines.of("idle"), seconds=10)
        assert len([line for line in lines.of("up") if "cannot write down what runs" in line]) == 1
        gone.mkdir()
        assert supervisor.run(until=(gone / "processes.json").exists, seconds=10)
    finally:
        supervisor.stop()


def test_programs_are_replaced_in_turn_each_after_its_successor_runs(folder, lines):
    supervisor = Supervisor(lines, Ledger(folder), QUICK, overlap=2.0)
    try:
        supervisor.start([python(folder, name, POLITE) for name in ("one", "two")])
        assert supervisor.run(until=lambda: "ready" in lines.of("one") and "ready" in lines.of("two"), seconds=10)
        before = {name: supervisor.pid(name) for name in ("one", "two")}
        supervisor.replace_all()
        assert supervisor.run(until=lambda: len([line for line in lines.of("up") if "is replaced" in line]) == 2)
        assert lines.of("one") == lines.of("two") == ["ready", "ready", "bye"]
        assert lines.all.index(("one", "bye")) < [place for place, line in enumerate(lines.all) if line[0] == "two"][1]
        assert not any(map(alive, before.values()))
        assert all(supervisor.pid(name) not in {None, pid} for name, pid in before.items())
        assert not any("starts again" in line for line in lines.of("up"))
    finally:
        supervisor.stop()


SLOW_TO_SERVE = """
import os, signal, sys, time
signal.signal(signal.SIGTERM, lambda *_: (print("bye", flush=True), sys.exit()))
time.sleep(1)
print("ready", flush=True)
os.write(int(os.environ["AISPINE_READY"]), b"1")
time.sleep(60)
"""


def test_a_program_that_says_when_it_serves_is_waited_for_before_the_old_one_ends(folder, lines):
    supervisor = Supervisor(lines, Ledger(folder), QUICK, overlap=0.0)
    try:
        supervisor.start([replace(python(folder, "web", SLOW_TO_SERVE), tells_ready=True)])
        assert supervisor.run(until=lambda: "ready" in lines.of("web"), seconds=20)
        supervisor.replace_all()
        assert supervisor.run(until=lambda: any("is replaced" in line for line in lines.of("up")), seconds=20)
        assert lines.of("web") == ["ready", "ready", "bye"]
    finally:
        supervisor.stop()
