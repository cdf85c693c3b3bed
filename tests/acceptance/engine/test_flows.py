"""Flows on real workers, from the start to the stored result."""

from __future__ import annotations

import json

import pytest

from tests.support.environment import ROOT
from tests.support.flows import Flows

pytestmark = pytest.mark.usefixtures("workers")


@pytest.mark.parametrize("name", ["credit_analysis", "parallel_research", "support_triage"])
def test_a_sample_flow_runs_to_its_end(flows: Flows, name: str) -> None:
    source = (ROOT / f"flows/{name}.yaml").read_text("utf-8")
    seen = flows.run(source, json.loads((ROOT / f"flows/{name}.input.json").read_text("utf-8")))
    assert seen.status == "completed", seen.execution.error
    assert seen.output
