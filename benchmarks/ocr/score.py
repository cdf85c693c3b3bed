"""Reads a picture with the agent, as a worker would, and compares."""

from __future__ import annotations

import base64
import time
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from typing import Any

from aispine.agent.contract import AgentReply
from aispine.agent.folder import built_in
from aispine.agent.testing import LocalAgent, load_agent
from benchmarks.ocr.cases import Case


@dataclass(frozen=True, kw_only=True, slots=True)
class Scored:
    """What came of a case: `zone` says that every character of it is right, `claimed` that its check digits hold."""

    kind: str
    zone: bool
    claimed: bool
    fields: Mapping[str, bool]
    cpu_seconds: float
    seconds: float


@cache
def _agent() -> LocalAgent:
    agent = load_agent(built_in() / "ocr_structured")
    agent.module("rapid")._engine()  # noqa: SLF001 - loading the models is no part of reading a picture
    return agent


def read(case: Case) -> Scored:
    """Reads one picture, on the core that this process is bound to."""
    asked = {
        "file": {"base64": base64.b64encode(case.picture).decode()},
        "schema": {"properties": {name: {"type": "string"} for name in case.fields}},
    }
    agent = _agent()
    cpu, began = time.process_time(), time.perf_counter()
    outcome = agent.run(asked)
    cpu, seconds = time.process_time() - cpu, time.perf_counter() - began
    output = outcome.output if isinstance(outcome, AgentReply) else {"fields": {}, "mrz": None}
    return _scored(case, output, cpu, seconds)


def _scored(case: Case, output: Mapping[str, Any], cpu: float, seconds: float) -> Scored:
    zone = output["mrz"] or {"lines": [], "valid": False}
    return Scored(
        kind=case.kind,
        zone=tuple(zone["lines"]) == case.lines,
        claimed=zone["valid"],
        fields={name: output["fields"].get(name) == value for name, value in case.fields.items()},
        cpu_seconds=cpu,
        seconds=seconds,
    )
