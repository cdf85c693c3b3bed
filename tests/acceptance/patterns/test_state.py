"""Choices by the outside, mutual exclusion, state and triggers: patterns 16 to 18, 23, 24, 39 and 40."""

from __future__ import annotations

import itertools

import pytest

from aispine.errors import Conflict
from tests.acceptance.patterns.conftest import Patterns

pytestmark = pytest.mark.core


@pytest.mark.parametrize(
    ("first", "second", "taken", "left"),
    [("paid", "disputed", "thank", "review"), ("disputed", "paid", "review", "thank")],
)
def test_deferred_choice(patterns: Patterns, first: str, second: str, taken: str, left: str) -> None:
    execution_id = patterns.start("deferred_choice")
    patterns.until_waiting(execution_id, "paid", "disputed")
    patterns.signal(execution_id, first)
    log = patterns.wait(execution_id)
    assert max(log.waited(first), log.waited(second)) < log.completed(first) < log.cancelled(second)
    assert log.completed("first") < log.began(taken)
    assert log.none(left)


def test_interleaved_parallel_routing(patterns: Patterns) -> None:
    log = patterns.run("interleaved_parallel_routing")
    assert log.completed("weigh") < log.began("dress")
    for one, other in itertools.combinations(("weigh", "dress", "photograph"), 2):
        assert not log.overlap(one, other)


def test_interleaved_routing(patterns: Patterns) -> None:
    log = patterns.run("interleaved_routing")
    checks = ("check_oil", "check_lamp", "check_unit")
    for one, other in itertools.combinations(checks, 2):
        assert not log.overlap(one, other)
    assert max(log.completed(name) for name in checks) < log.completed("release")


def test_critical_section(patterns: Patterns) -> None:
    log = patterns.run("critical_section")
    assert not log.overlap("pay_flight", "pay_hotel")
    flight = range(log.began("pay_flight[card]/reserve_flight"), log.completed("pay_flight[card]/charge_flight"))
    hotel = range(log.began("pay_hotel[card]/reserve_hotel"), log.completed("pay_hotel[card]/charge_hotel"))
    assert flight.stop < hotel.start or hotel.stop < flight.start


def test_milestone_enables_while_the_state_holds(patterns: Patterns) -> None:
    execution_id = patterns.start("milestone")
    patterns.signal(execution_id, "seat")
    patterns.until_completed(execution_id, "wish")
    patterns.signal(execution_id, "opens")
    patterns.until_completed(execution_id, "change_seat")
    patterns.signal(execution_id, "departs")
    log = patterns.wait(execution_id)
    assert log.completed("wish") < log.completed("open") < log.began("change_seat") < log.completed("close")


def test_milestone_enables_nothing_once_the_state_has_passed(patterns: Patterns) -> None:
    execution_id = patterns.start("milestone")
    for name, done in (("opens", "open"), ("departs", "close")):
        patterns.signal(execution_id, name)
        patterns.until_completed(execution_id, done)
    patterns.signal(execution_id, "seat")
    log = patterns.wait(execution_id)
    assert log.completed("close") < log.skipped("change_seat")
    assert log.none("change_seat")


def test_transient_trigger(patterns: Patterns) -> None:
    execution_id = patterns.start("transient_trigger")
    patterns.until_waiting(execution_id, "prepare")
    with pytest.raises(Conflict):
        patterns.people.answer(execution_id, "confirm", {"approved": True}, by="ada")
    patterns.signal(execution_id, "prepared")
    patterns.until_waiting(execution_id, "confirm")
    assert not patterns.flows.see(execution_id).status.terminal
    patterns.people.answer(execution_id, "confirm", {"approved": False}, by="ada")
    log = patterns.wait(execution_id)
    assert log.waited("confirm") < log.one("approval.answered", "confirm") < log.completed("confirm") < log.began("act")
    assert log.seen.output == {"approved": False}


def test_persistent_trigger(patterns: Patterns) -> None:
    execution_id = patterns.start("persistent_trigger")
    patterns.until_waiting(execution_id, "prepare")
    patterns.signal(execution_id, "paid", {"amount": 3})
    patterns.signal(execution_id, "prepared")
    log = patterns.wait(execution_id)
    kept = [event.seq for event in log.seen.events if event.type == "signal.received" and event.data["kept"]]
    assert len(kept) == 1
    assert kept[0] < log.waited("paid") < log.completed("paid") < log.began("ship")
    assert log.seen.output == {"amount": 3}
