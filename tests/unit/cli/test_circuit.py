"""`aispine agent circuit`: of an agent itself, or of each model of an llm agent."""

from __future__ import annotations

import json
from typing import Any

from click.testing import CliRunner

from cli.main import main
from tests.unit.cli.standin import Reply, Request, reply, serving

AGENTS = "/api/v1/agents"
CLOSED = {"state": "closed", "failures": 2, "seconds": 0.0}
OPEN = {"state": "open", "failures": 5, "seconds": 41.6}
MODELS = [
    {"place": 1, "model": "large", "base_url": "https://a.example.com/v1", "circuit": OPEN},
    {"place": 2, "model": "small", "base_url": "https://b.example.com/v1", "circuit": CLOSED},
]
ANSWERS: dict[str, Any] = {
    f"{AGENTS}/eddie": {"kind": "http"},
    f"{AGENTS}/eddie/circuit": OPEN,
    f"{AGENTS}/clerk": {"kind": "llm"},
    f"{AGENTS}/clerk/models": {"data": MODELS, "next_cursor": None},
    f"{AGENTS}/clerk/models/2/circuit": CLOSED,
}


def answer(request: Request) -> Reply:
    return Reply(status=204) if request.method == "DELETE" else reply(ANSWERS[request.path])


def run(*arguments: str) -> tuple[str, list[str]]:
    """What the command prints, and the paths of the circuits that it reset."""
    with serving(answer) as server:
        done = CliRunner().invoke(main, ["--url", server.url, "--api-key", "k", "agent", "circuit", *arguments])
    assert done.exit_code == 0, done.output
    return done.stdout, [each.path for each in server.requests if each.method == "DELETE"]


def test_the_circuit_of_an_agent_is_shown_and_reset() -> None:
    said = "open: no call for another 42 s, after 5 failures in a row\n"
    assert run("eddie") == (said, [])
    assert run("eddie", "--reset") == (said, [f"{AGENTS}/eddie/circuit"])


def test_an_llm_agent_has_a_circuit_for_each_model() -> None:
    said, reset = run("clerk")
    assert [line.split()[:2] for line in said.splitlines()[1:]] == [["1", "large"], ["2", "small"]]
    assert "no call for another 42 s" in said
    assert reset == []
    assert json.loads(run("clerk", "--output", "json")[0]) == MODELS


def test_all_models_of_an_agent_are_reset_or_the_one_that_is_named() -> None:
    assert run("clerk", "--reset")[1] == [f"{AGENTS}/clerk/models/1/circuit", f"{AGENTS}/clerk/models/2/circuit"]
    said, reset = run("clerk", "--model", "2", "--reset")
    assert (said, reset) == ("closed: 2 failures in a row\n", [f"{AGENTS}/clerk/models/2/circuit"])
