"""Repeating, cancelling and ending: patterns 11, 19 to 22, 25 and 43."""

from __future__ import annotations

import pytest

from tests.acceptance.patterns.conftest import Patterns

pytestmark = pytest.mark.core


def test_implicit_termination(patterns: Patterns) -> None:
    log = patterns.run("implicit_termination")
    assert log.completed("thank") < log.completed("ship") < log.one("execution.completed")
    assert log.seen.output == {"thank": "thanked", "ship": "shipped"}


def test_explicit_termination(patterns: Patterns) -> None:
    log = patterns.run("explicit_termination")
    assert log.completed("guess") < log.completed("end") < log.cancelled("compute") < log.one("execution.completed")
    assert log.none("publish")
    assert log.seen.output == 42


def test_cancel_task(patterns: Patterns) -> None:
    execution_id = patterns.start("cancel_task")
    patterns.until_running(execution_id, "translate")
    patterns.signal(execution_id, "withdraw")
    log = patterns.wait(execution_id)
    assert log.began("translate") < log.completed("withdrawn") < log.cancelled("translate")
    assert log.completed("outcome") < log.completed("report") < log.one("execution.completed")


def test_cancel_case(patterns: Patterns) -> None:
    patterns.deploy("persistent_trigger")
    execution_id = patterns.start("cancel_case")
    patterns.until_running(execution_id, "examine")
    patterns.until_waiting(execution_id, "documents", "payment")
    patterns.people.cancel(execution_id)
    log = patterns.wait(execution_id)
    stopped = [log.cancelled(name) for name in ("examine", "documents", "payment")]
    assert max(stopped) < log.one("execution.cancelled")
    assert log.none("decide")
    (child,) = log.children
    assert patterns.wait(child).one("execution.cancelled")


def test_a_region_of_two_branches_is_cancelled_and_the_rest_goes_on(patterns: Patterns) -> None:
    execution_id = patterns.start("cancel_region")
    patterns.until_running(execution_id, "credit", "address")
    patterns.signal(execution_id, "withdraw")
    log = patterns.wait(execution_id)
    assert log.completed("withdrawn") < min(log.cancelled("credit"), log.cancelled("address"))
    assert max(log.cancelled("credit"), log.cancelled("address")) < log.completed("archive")
    assert log.none("rating")


def test_structured_loop(patterns: Patterns) -> None:
    log = patterns.run("structured_loop")
    assert log.completed("sell[0]/sale") < log.began("sell[1]/sale")
    assert log.completed("sell[1]/sale") < log.completed("sell") < log.began("poll")
    for number in (0, 1):
        assert log.completed(f"poll[{number}]/check") < log.began(f"poll[{number + 1}]/check")
    assert log.completed("poll[2]/check") < log.completed("poll")
    assert log.seen.nodes["sell"].output["ended_by"] == "while"
    assert log.seen.nodes["poll"].output["ended_by"] == "until"


def test_recursion(patterns: Patterns) -> None:
    log = patterns.run("recursion", {"parts": ["a", "b", "c"]})
    assert log.seen.output == ["a", "b", "c"]
    assert log.completed("handle") < log.began("rest") < log.waited("rest") < log.completed("rest")
    children = 0
    while log.seen.nodes["rest"].status != "skipped":
        (child,) = log.children
        log, children = patterns.wait(child), children + 1
    assert children == 3
