"""A flow whose agent is a model: it uses a tool, is answered by its second model, and stays within its budget."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import pytest
import yaml

from aispine.model.standin import Line, StandIn, playing
from tests.acceptance.cli.conftest import Project
from tests.support import service
from tests.support.polling import eventually
from tests.support.service import Reply, Service

FIRST = {"prompt_tokens": 200, "completion_tokens": 20}
SECOND = {"prompt_tokens": 300, "completion_tokens": 30}
WORDS = '{"answer": "Your order A-17 left our house this morning and is on its way."}'


@pytest.fixture
def model() -> Iterator[StandIn]:
    with playing() as running:
        yield running


@pytest.fixture
def shop() -> Iterator[Service]:
    with service.serving() as running:
        running.on("GET", "/orders/A-17", Reply(body={"state": "sent"}))
        yield running


def clerk(model: StandIn) -> dict[str, object]:
    first = {"base_url": model.url, "model": "first", "api_key": "${secrets.clerk_key}"}
    prices = {"prices": {"input": 1.0, "output": 4.0}}
    return {
        "agent_id": "clerk",
        "version": "1.0.0",
        "kind": "llm",
        "models": [{**first, **prices}, {**first, "model": "second", **prices}],
        "system": "You answer customers of a shop.",
        "prompt": "${input.question}",
        "tools": ["order_state"],
        "budget": {"max_tokens": 2000, "max_cost_usd": 0.01},
        "output_schema": {
            "type": "object",
            "properties": {"answer": {"type": "string"}},
            "required": ["answer"],
        },
    }


def listed(project: Project) -> list[str]:
    return [str(agent["agent_id"]) for agent in project.run("agent", "list", "-o", "json").json]


def write(folder: Path, definition: dict[str, object]) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "agent.yaml").write_text(yaml.safe_dump(definition, sort_keys=False), "utf-8")


def test_a_model_uses_a_tool_falls_back_and_ends_within_its_budget(
    project: Project, model: StandIn, shop: Service
) -> None:
    schema = '{"type": "object", "required": ["id"], "properties": {"id": {"type": "string"}}}'
    endpoint = f"{shop.url}/orders/{{id}}"
    made = project.run(
        "tool", "create", "order_state", "--method", "GET", "--endpoint", endpoint, "--input-schema", schema
    )
    assert made.code == 0, made.err
    assert (
        project.run("tool", "run", "order_state", "--input", '{"id": "A-17"}', "-o", "json").json["status"] == "success"
    )
    assert project.run("secret", "set", "clerk_key", stdin="key-of-the-clerk").code == 0
    write(project.folder / "agents" / "clerk", clerk(model))
    eventually(lambda: "clerk" in listed(project), 20, "the agent")
    model.says(
        Line(tool_calls=({"name": "order_state", "arguments": {"id": "A-17"}},), usage=FIRST),
        Line(status=503),
        Line(text=WORDS, usage=SECOND, pace=0.06),
    )
    file = project.write_flow("clerk", "{id: answer, type: processor, agent_id: clerk, timeout: 30s}")
    done = project.run("flow", "run", file, "--input", '{"question": "Where is A-17?"}', "--watch")
    assert done.code == 0, done.err
    said = re.findall(r"answer\s+tokens\s+(.*)", done.out)
    assert len(said) >= 2
    assert "".join("".join(said).split()) == "".join(WORDS.split())
    execution_id = str(re.search(r"[0-9a-f-]{36}", done.out)[0])  # type: ignore[index]  # It is on the first line.
    shown = project.run("execution", "show", execution_id, "-o", "json").json
    assert shown["output"] == {"answer": "Your order A-17 left our house this morning and is on its way."}
    assert shown["metrics"]["token_usage"] == 550
    assert shown["metrics"]["cost_usd"] == pytest.approx((500 + 4 * 50) / 1_000_000)
    assert [asked.body["model"] for asked in model.asked] == ["first", "first", "second"]
    assert [asked.problem for asked in model.asked] == [None] * 3
    assert model.asked[0].headers["authorization"] == "Bearer key-of-the-clerk"
    assert len(shop.of("/orders/A-17")) == 2
    logs = project.run("flow", "logs", execution_id).out
    assert "first: unavailable" in logs
    assert "key-of-the-clerk" not in logs + done.out
