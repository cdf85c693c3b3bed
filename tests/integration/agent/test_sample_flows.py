"""The sample flows with their sample inputs, on real workers."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

import aispine

FLOWS = Path(aispine.__file__).parent.parent / "flows"


def sample(name):
    return (FLOWS / f"{name}.yaml").read_text("utf-8"), json.loads((FLOWS / f"{name}.input.json").read_text("utf-8"))


@pytest.fixture
def run(flows, workers):
    def run(name, **changes):
        source, data = sample(name)
        seen = flows.run(source, {**data, **changes})
        assert seen.status == "completed", seen.execution
        return seen

    return run


ON_CHANNELS = {"kyc_onboarding", "whatsapp_customer_service"}
"""These begin when somebody writes, so no file can start them."""


def test_every_flow_that_a_file_can_start_has_an_input_beside_it():
    files = {path.name.removesuffix(".yaml") for path in FLOWS.glob("*.yaml") if ".test." not in path.name}
    files -= ON_CHANNELS
    assert files == {path.name.removesuffix(".input.json") for path in FLOWS.glob("*.input.json")}


def test_the_credit_analysis_collects_scores_and_decides(run):
    seen = run("credit_analysis")
    assert seen.nodes["zoe"].output["complete"]
    assert seen.nodes["zoe"].output["fields"]["monthly_income"] == 3500
    assert (seen.output["decision"], seen.output["score"], seen.output["monthly_payment"]) == (
        "approve",
        0.9274,
        599.09,
    )


def test_a_credit_application_with_gaps_is_for_a_person(run):
    seen = run("credit_analysis", ingresos="muchos", monto=None)
    assert seen.nodes["zoe"].output["missing"] == ["amount"]
    assert seen.output["decision"] == "review"
    assert "missing: amount" in seen.output["reasons"]


def test_the_research_merges_what_three_agents_found(run):
    seen = run("parallel_research")
    assert seen.output["brief"]["title"] == "Batteries for the grid"
    assert "solar" in seen.output["brief"]["keywords"]
    assert seen.output["brief"]["sentiment"] == "positive"
    assert len(seen.output["brief"]["highlights"]) == 2
    assert seen.output["reading_seconds"] == 26


@pytest.mark.parametrize(
    ("ticket", "route", "node"),
    [
        ({}, "draft", "draft"),
        ({"subject": "Outage", "body": "Production is down for everyone!"}, "on_call", "escalate"),
        ({"subject": "Hola", "body": "Muchas gracias por la charla de ayer."}, "ask_back", "ask_back"),
    ],
)
def test_a_ticket_takes_the_branch_that_its_triage_says(run, ticket, route, node):
    seen = run("support_triage", **ticket)
    assert seen.output["route"] == route
    assert seen.output["result"] == seen.nodes[node].output
    skipped = {"escalate", "draft", "ask_back"} - {node}
    assert {seen.statuses[other] for other in skipped} == {"skipped"}
