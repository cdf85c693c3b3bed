"""Folders of agents for tests, and requests to them."""

from __future__ import annotations

from pathlib import Path
from textwrap import dedent
from typing import Any

from aispine.agent import manifest
from aispine.agent.contract import AgentRequest
from aispine.agent.definition import AgentVersion

MANIFEST = "agent_id: {agent_id}\nversion: {version}\n{more}"


def write_agent(
    folder: Path, code: str, *, agent_id: str = "sample", version: str = "1.0.0", more: str = ""
) -> AgentVersion:
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "agent.yaml").write_text(MANIFEST.format(agent_id=agent_id, version=version, more=dedent(more)))
    (folder / "agent.py").write_text(dedent(code))
    return manifest.read(folder)


def request(**changes: Any) -> AgentRequest:
    values: dict[str, Any] = {
        "execution_id": "e1",
        "node_id": "n1",
        "path": "n1",
        "attempt": 1,
        "idempotency_key": "e1/n1",
        "input": {"text": "hello"},
        "config": {},
        "timeout": 5.0,
        "tenant_id": "default",
    }
    return AgentRequest(**{**values, **changes})
