"""The campaign in its smallest form, on a stack of its own: one fault of each kind."""

from __future__ import annotations

from benchmarks.chaos import campaign
from benchmarks.chaos.campaign import Campaign


def test_one_fault_of_each_kind_loses_and_repeats_nothing() -> None:
    said: list[str] = []
    outcome = campaign.run(Campaign(count=10, seed=7), said.append)
    # Whether a kill hits a running node is luck with so few executions; `make chaos` holds how many must.
    assert [miss for miss in outcome.misses if "at least" not in miss] == [], said
    assert outcome.faults, said
    assert outcome.verdict.started == outcome.verdict.ended == 10
