"""A campaign: executions of every kind under faults, until all have ended or no more can be hoped for."""

from __future__ import annotations

import functools
import secrets
import time
from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from math import ceil
from typing import Final

from aispine.stack.process import wait_until
from benchmarks.chaos import cases, driver, figures, gremlin, ledger, stack
from benchmarks.chaos.client import Client
from benchmarks.chaos.database import Database
from benchmarks.chaos.driver import Driver
from benchmarks.chaos.figures import Figure
from benchmarks.chaos.gremlin import Fault, Gremlin
from benchmarks.chaos.judge import Judge, Verdict

MINIMUM: Final = {"kills": 100, "stop": 10, "flush": 5, "restart redis": 5, "restart postgres": 3}
"""Faults that must have hit for each 1,000 executions."""

_PACE: Final = 2.0
_COUNTED: Final = 20.0
_BEHIND: Final = 30.0


@dataclass(frozen=True, kw_only=True, slots=True)
class Campaign:
    """What is to be done; `settle` are the seconds that executions get to end after the last fault.

    `faults_for` is the number of executions whose share of faults is done, `count` where None.
    """

    count: int
    seed: int
    mutant: str | None = None
    drop: float = 0.01
    double: float = 0.03
    settle: float = 120.0
    keep: bool = False
    faults_for: int | None = None
    settings: Mapping[str, str] = field(default_factory=dict)
    """Of the stack, over those of every campaign."""
    shares: Mapping[str, int] = field(default_factory=lambda: gremlin.SHARES)
    minimum: Mapping[str, int] = field(default_factory=lambda: MINIMUM)
    """Faults for each 1,000 executions: those that are done, and those that must hit."""
    pause: tuple[float, float] = gremlin.PAUSE
    """Seconds between two faults."""
    recovery_within: float = 60.0
    """Seconds in which what a process ran that died has to run again, whatever else is done to the others meanwhile."""

    @property
    def heartbeat(self) -> float:
        return float({**stack.SETTINGS, **self.settings}["AISPINE_HEARTBEAT"])

    @property
    def scale(self) -> float:
        return self.count / 1000


@dataclass(frozen=True, kw_only=True, slots=True)
class Outcome:
    """What became of a campaign."""

    campaign: Campaign
    verdict: Verdict
    faults: Mapping[str, int]
    messages: Mapping[str, int]
    answers: Mapping[str, int]
    trouble: tuple[str, ...]
    figures: tuple[Figure, ...]
    """What `/metrics` showed at the end."""
    seconds: float

    @property
    def misses(self) -> list[str]:
        """Every figure that is not as it must be."""
        return [*self.harm, *self._too_few(), *self._miscounted(), *self._too_slow(), *self.trouble]

    @property
    def harm(self) -> list[str]:
        """What the faults did to the executions and must not have done."""
        verdict, count = self.verdict, self.campaign.count
        zeros = {
            "stuck": verdict.stuck,
            "wrong results": verdict.wrong,
            "joins fired twice": verdict.joins_twice,
            "effects recorded twice": verdict.effects_twice,
        }
        found = [f"{name}: {value}, not 0" for name, value in zeros.items() if value]
        if (verdict.started, verdict.ended) != (count, count):
            found.append(f"started {verdict.started} and ended {verdict.ended}, not {count}")
        if verdict.unexplained:
            found.append(f"repeated calls of nodes that were not lost: {verdict.unexplained}, not 0")
        if verdict.repeated > verdict.explained:
            found.append(f"{verdict.repeated} repeated calls, {verdict.explained} explained")
        return found

    def _miscounted(self) -> list[str]:
        wrong = [each for each in self.figures if not each.fits]
        return [f"/metrics: {each.name} {each.shown}, {each.true} in the log" for each in wrong]

    def _too_slow(self) -> list[str]:
        longest, limit = self.verdict.longest_recovery, self.campaign.recovery_within
        return [f"longest recovery: {longest:.1f} s, not under {limit:g} s"] if longest >= limit else []

    def _too_few(self) -> list[str]:
        done = Counter(self.faults)
        done["kills"] = done["kill child"] + done["kill worker"]
        wanted = {kind: ceil(self.campaign.scale * share) for kind, share in self.campaign.minimum.items()}
        return [f"{kind}: {done[kind]}, at least {least}" for kind, least in wanted.items() if done[kind] < least]


def run(campaign: Campaign, say: Callable[[str], None]) -> Outcome:
    """Runs a campaign on a stack of its own. Raises `StackError` when that does not start."""
    begun = time.monotonic()
    environment = {
        "CHAOS_SEED": str(campaign.seed),
        "CHAOS_DROP": str(campaign.drop),
        "CHAOS_DOUBLE": str(campaign.double),
        "CHAOS_MUTANT": campaign.mutant or "",
        **campaign.settings,
    }
    with stack.running(environment, keep=campaign.keep) as running:
        say(f"the stack runs in {running.folder}")
        return _on(running, campaign, say, begun)


def _on(running: stack.Stack, campaign: Campaign, say: Callable[[str], None], begun: float) -> Outcome:
    make = functools.partial(Client, running.url, running.api_key)
    database, client, run_id = Database(running.database_url), make(), f"chaos-{secrets.token_hex(4)}"
    kinds = cases.cases(_PACE)
    driver.deploy(client, kinds)
    work = driver.jobs(campaign.count, kinds, campaign.seed)
    driving = Driver(make, database, run_id, work)
    driving.begin()
    try:
        doing = Gremlin(running, database, campaign.seed, driving.start_more, campaign.pause)
        faults = _torment(doing, campaign, driving, say)
        wait_until(lambda: driving.all_started, campaign.settle)
        wait_until(lambda: database.open(run_id) == 0, campaign.settle)
    finally:
        driving.end()
    messages = ledger.read(running.faults)
    shown = _metrics(client)
    judge = Judge(database, run_id, work, ledger.read(running.calls))
    return Outcome(
        campaign=campaign,
        verdict=judge.verdict(faults, messages),
        faults=Counter(fault.kind for fault in faults),
        messages=Counter(line["kind"] for line in messages),
        answers=client.answers,
        trouble=tuple(driving.trouble),
        figures=tuple(judge.figures(shown, faults, campaign.heartbeat)),
        seconds=time.monotonic() - begun,
    )


def _metrics(client: Client) -> Mapping[figures.Key, int]:
    """The figures once beat has counted that nothing is open, or as they are after a while."""
    found: dict[figures.Key, int] = {}

    def settled() -> bool:
        found.clear()
        found.update(figures.read(client.text("/metrics")))
        return bool(found) and not any(value for (name, _), value in found.items() if name.endswith("_open"))

    wait_until(settled, _COUNTED)
    return found


def _torment(doing: Gremlin, campaign: Campaign, driving: Driver, say: Callable[[str], None]) -> list[Fault]:
    kinds = gremlin.plan(campaign.faults_for or campaign.count, campaign.seed, campaign.shares)
    for done, kind in enumerate(kinds):
        driving.progress = done / len(kinds)
        # Faults go along with the work: the last execution is to meet as many as the first.
        wait_until(lambda: driving.keeps_up, _BEHIND)
        if doing.do(kind):
            say(f"{done + 1}/{len(kinds)} {kind}: {len(doing.faults[-1].hit)} nodes")
        else:
            say(f"{done + 1}/{len(kinds)} {kind}: nothing to hit")
    driving.progress = 1.0
    return doing.faults
