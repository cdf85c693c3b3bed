"""`python -m benchmarks.chaos WHAT`; exits with 1 when a figure is not as it must be."""

from __future__ import annotations

import argparse
import random
import sys
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from aispine.errors import AISpineError
from benchmarks.chaos import campaign, gremlin, outages, report, rolling, sweep
from benchmarks.chaos.campaign import Campaign
from benchmarks.chaos.mutants import MUTANTS
from benchmarks.chaos.up import PATIENT

_SHORT = 40
_WHOLE = "none"
"""The engine with nothing taken out."""
_RESTARTS = 3
RECOVERY: Mapping[str, Any] = {
    "count": 200,
    "drop": 0.0,
    "double": 0.0,
    "settings": {"AISPINE_LEASE": "10", "AISPINE_HEARTBEAT": "3", "AISPINE_TICK": "1", PATIENT: "1"},
    "shares": {"kill child": 40, "kill worker": 40},
    "minimum": {"kills": 60},
    "pause": (12.0, 15.0),
    "recovery_within": 20.0,
}
"""Kills alone, with the settings as they come, and each after the one before is made good."""
_SHORT_FAULTS = 120
_OF_MUTANTS: Mapping[str, Any] = {
    "count": _SHORT,
    "faults_for": _SHORT_FAULTS,
    "settle": 20.0,
    "shares": {**gremlin.SHARES, "stop": 50},
}
"""Few executions under many faults; late results are what tells an engine without a fence."""


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.chaos")
    parser.add_argument("what", choices=["campaign", "mutants", "sweep", "outages", "rolling", "recovery"])
    parser.add_argument("--count", type=int, default=1000, help="executions")
    parser.add_argument("--seed", type=int, default=random.randrange(1_000_000))
    parser.add_argument("--settle", type=float, default=120.0, help="seconds to end in after the last fault")
    parser.add_argument("--drop", type=float, default=0.01, help="share of messages that get lost")
    parser.add_argument("--double", type=float, default=0.03, help="share of messages that come twice")
    parser.add_argument("--keep", action="store_true", help="leave the stack's folder")
    parser.add_argument("--mutant", choices=[*MUTANTS, _WHOLE], default=None)
    parser.add_argument("--only", action="append", default=[], help="a kind of flow, or an outage; all if none")
    given = parser.parse_args()
    shares = {"drop": given.drop, "double": given.double}
    wanted = Campaign(count=given.count, seed=given.seed, settle=given.settle, keep=given.keep, **shares)
    if given.what == "sweep":
        return _sweep(keep=given.keep, only=given.only)
    if given.what == "outages":
        return _outages(keep=given.keep, only=given.only)
    if given.what == "rolling":
        return _rolling(count=given.count, keep=given.keep)
    if given.what == "mutants":
        return _mutants(wanted, [given.mutant] if given.mutant else [_WHOLE, *MUTANTS])
    if given.what == "recovery":
        wanted = replace(wanted, **RECOVERY)
    outcome = campaign.run(wanted, _say)
    report.show(outcome)
    return 1 if outcome.misses else 0


def _mutants(wanted: Campaign, names: list[str]) -> int:
    """Each must do harm: a campaign that lets one through would let the same mistake through.

    The engine as it is goes through the same first, and must do none.
    """
    mistaken = []
    for name in names:
        mutant = None if name == _WHOLE else name
        outcome = campaign.run(replace(wanted, **_OF_MUTANTS, mutant=mutant), _say)
        report.show(outcome)
        if bool(outcome.harm) == (mutant is None):
            mistaken.append(name)
    _say(f"mutants that nothing noticed, or an engine that was blamed: {', '.join(mistaken) or 'none'}")
    return 1 if mistaken else 0


def _sweep(*, keep: bool, only: list[str]) -> int:
    swept = sweep.run(_say, keep=keep, only=only)
    for line in [*swept.verdict.notes, *swept.harm]:
        _say(f"! {line}")
    _say(f"{swept.verdict.started} executions, {sum(swept.points.values())} kills: {'NOT ' if swept.harm else ''}right")
    return 1 if swept.harm else 0


def _outages(*, keep: bool, only: list[str]) -> int:
    seen = outages.run(_say, keep=keep, only=only)
    harm = [line for weathered in seen for line in [*weathered.verdict.notes, *weathered.harm]]
    for line in harm:
        _say(f"! {line}")
    return 1 if harm else 0


def _rolling(*, count: int, keep: bool) -> int:
    rolled = rolling.run(_say, count=count, times=_RESTARTS, keep=keep)
    verdict, asked = rolled.verdict, rolled.asked
    _say(f"{verdict.ended} of {count} ended, {rolled.handed_back} nodes handed back, {verdict.repeated} calls repeated")
    _say(f"{asked.share:.3%} of {asked.answers.total()} requests succeeded, the slowest took {asked.slowest:.1f} s")
    for line in [*verdict.notes, *rolled.harm]:
        _say(f"! {line}")
    return 1 if rolled.harm else 0


def _say(line: str) -> None:
    print(line, flush=True)


if __name__ == "__main__":
    try:
        sys.exit(main())
    except AISpineError as error:
        sys.exit(f"Error: {error.message}")
