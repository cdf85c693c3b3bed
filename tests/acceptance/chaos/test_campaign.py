"""The campaign in its smallest form, on a stack of its own: one fault of each kind."""

from __future__ import annotations

from benchmarks.chaos import campaign, gremlin
from benchmarks.chaos.campaign import Campaign


def test_one_fault_of_each_kind_loses_and_repeats_nothing() -> None:
    said: list[str] = []
    outcome = campaign.run(Campaign(count=10, seed=7), said.append)
    assert outcome.misses == [], said
    assert set(gremlin.SHARES) <= set(outcome.faults), said
    assert outcome.verdict.started == outcome.verdict.ended == 10
