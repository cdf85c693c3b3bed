"""Splitting and merging: patterns 1 to 7, 9, 29, 30, 32, 37, 41 and 42."""

from __future__ import annotations

import pytest

from tests.acceptance.patterns.conftest import Patterns

pytestmark = pytest.mark.core


def test_sequence(patterns: Patterns) -> None:
    log = patterns.run("sequence")
    assert log.completed("receive") < log.began("price") < log.completed("price") < log.began("confirm")
    assert log.completed("confirm") < log.one("execution.completed")


def test_parallel_split(patterns: Patterns) -> None:
    log = patterns.run("parallel_split")
    assert log.completed("order") < min(log.began("pick"), log.began("bill"))
    assert log.overlap("pick", "bill")


def test_synchronization(patterns: Patterns) -> None:
    log = patterns.run("synchronization")
    assert max(log.completed("pick"), log.completed("bill")) < log.began("ship")
    assert log.seen.output == {"pick": "picked", "bill": "billed"}


@pytest.mark.parametrize(("amount", "taken", "left"), [(5, "pay", "review"), (5000, "review", "pay")])
def test_exclusive_choice(patterns: Patterns, amount: int, taken: str, left: str) -> None:
    log = patterns.run("exclusive_choice", {"amount": amount})
    assert log.completed("large") < log.began(taken)
    assert log.skipped(left)
    assert log.none(left)


@pytest.mark.parametrize(("kind", "taken"), [("refund", "refund"), ("complaint", "apologize"), ("praise", "answer")])
def test_simple_merge(patterns: Patterns, kind: str, taken: str) -> None:
    log = patterns.run("simple_merge", {"kind": kind})
    assert log.completed("kind") < log.began(taken) < log.completed(taken) < log.began("close")
    assert log.none(*({"refund", "apologize", "answer"} - {taken}))


def test_multi_choice(patterns: Patterns) -> None:
    log = patterns.run("multi_choice", {"crime": True, "fire": False, "injured": 2})
    assert log.completed("emergency") < min(log.began("police"), log.began("ambulance"))
    assert log.skipped("fire_brigade")
    assert log.none("fire_brigade")


def test_structured_synchronizing_merge_waits_for_all_that_were_taken(patterns: Patterns) -> None:
    log = patterns.run("structured_synchronizing_merge", {"crime": True, "injured": 1})
    assert max(log.completed("police"), log.completed("ambulance")) < log.began("report")


def test_structured_synchronizing_merge_waits_for_no_more_than_was_taken(patterns: Patterns) -> None:
    log = patterns.run("structured_synchronizing_merge", {"crime": True, "injured": 0})
    assert log.completed("police") < log.began("report")
    assert log.none("ambulance")
    assert log.seen.output == {"police": "secured"}


def test_structured_discriminator(patterns: Patterns) -> None:
    log = patterns.run("structured_discriminator")
    for number in (0, 1):
        rounds = f"rounds[{number}]"
        assert log.completed(f"{rounds}/near") < log.completed(f"{rounds}/first") < log.completed(f"{rounds}/use")
        assert log.completed(f"{rounds}/use") < log.completed(f"{rounds}/far")
    assert log.completed("rounds[0]/far") < log.began("rounds[1]/near")
    assert log.seen.output["results"] == ["near", "near"]


def test_cancelling_discriminator(patterns: Patterns) -> None:
    log = patterns.run("cancelling_discriminator")
    assert log.completed("near") < log.completed("first") < log.cancelled("far")
    assert log.seen.output == "near"


def test_structured_partial_join(patterns: Patterns) -> None:
    log = patterns.run("structured_partial_join")
    for number in (0, 1):
        rounds = f"rounds[{number}]"
        assert max(log.completed(f"{rounds}/{name}") for name in ("first", "second")) < log.completed(f"{rounds}/use")
        assert log.completed(f"{rounds}/use") < log.completed(f"{rounds}/third")
    assert log.completed("rounds[0]/third") < min(log.began(f"rounds[1]/{name}") for name in ("first", "second"))
    assert log.seen.output["results"] == [{"first": 1, "second": 2}] * 2


def test_cancelling_partial_join(patterns: Patterns) -> None:
    log = patterns.run("cancelling_partial_join")
    answered = [log.completed("opinions[first]/ask_first"), log.completed("opinions[second]/ask_second")]
    assert max(answered) < log.completed("enough") < log.cancelled("opinions[third]/ask_third")
    assert log.seen.output == {"first": 1, "second": 2}


def test_local_synchronizing_merge_does_without_dead_branches(patterns: Patterns) -> None:
    log = patterns.run("local_synchronizing_merge", {"known": True})
    assert log.completed("history") < log.began("trust") < log.completed("trust") < log.began("decide")
    assert log.none("identity", "references")


def test_local_synchronizing_merge_waits_for_live_branches(patterns: Patterns) -> None:
    log = patterns.run("local_synchronizing_merge", {"known": False})
    assert log.completed("references") < log.began("trust")
    assert max(log.completed("trust"), log.completed("identity")) < log.began("decide")
    assert log.none("history")


def test_thread_split(patterns: Patterns) -> None:
    log = patterns.run("thread_split")
    assert log.overlap("threads[0]/wash", "threads[1]/wash")
    for number in (0, 1):
        assert log.completed(f"threads[{number}]/wash") < log.began(f"threads[{number}]/polish")


def test_thread_merge(patterns: Patterns) -> None:
    log = patterns.run("thread_merge")
    assert max(log.completed(f"threads[{number}]/stamp") for number in range(3)) < log.began("hand_over")
    assert log.seen.nodes["hand_over"].input == {"value": [{"value": 1}, {"value": 2}, {"value": 3}]}
