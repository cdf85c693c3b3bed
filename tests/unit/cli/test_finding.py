"""Which stack a command finds, with which key, and what it says when there is none."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from aispine import settings
from cli.main import main
from tests.unit.cli.standin import Reply, Request, problem, reply, serving


@pytest.fixture(autouse=True)
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    monkeypatch.setenv("AISPINE_HOME", str(tmp_path / "home"))
    for name in ("AISPINE_URL", "AISPINE_API_KEY"):
        monkeypatch.delenv(name, raising=False)
    (tmp_path / "home").mkdir()
    settings.current.cache_clear()
    yield tmp_path / "home"
    settings.current.cache_clear()


def run(*arguments: str) -> Result:
    return CliRunner().invoke(main, list(arguments))


def test_without_a_stack_the_home_that_was_looked_in_is_named(home: Path) -> None:
    said = run("flow", "list").stderr
    assert f"no AI Spine is running in the home {home}" in said
    assert "AISPINE_HOME" in said
    assert "--url" in said


def test_the_local_key_is_printed_alone(home: Path) -> None:
    (home / "api.key").write_text("sk_1\n")
    found = run("auth", "key")
    assert found.stdout == "sk_1\n"
    assert str(home / "api.key") in found.stderr


def test_a_key_that_was_never_made_is_explained() -> None:
    found = run("auth", "key")
    assert found.exit_code == 1
    assert "aispine up" in found.stderr


def test_a_refused_key_is_explained_in_the_words_of_the_command() -> None:
    with serving(lambda _: problem(401, code="unauthenticated", detail="no", hint="Send the header")) as server:
        said = run("--url", server.url, "flow", "list").stderr
    assert "--api-key" in said
    assert "header" not in said


def test_a_flow_is_named_with_its_range() -> None:
    def answer(_: Request) -> Reply:
        return reply({"execution_id": "e", "flow_id": "hello", "version": "1.2.0", "status": "queued"}, 202)

    with serving(answer) as server:
        assert run("--url", server.url, "flow", "run", "hello@^1.2").exit_code == 0
        twice = run("--url", server.url, "flow", "run", "hello@^1.2", "--version", "2.0.0")
    asked = json.loads(server.requests[0].body)
    assert (asked["flow_id"], asked["version"]) == ("hello", "^1.2")
    assert twice.exit_code == 2
    assert len(server.requests) == 1
