"""Multiple instances: patterns 12 to 14, 26, 27 and 35."""

from __future__ import annotations

import pytest

from tests.acceptance.patterns.conftest import Patterns

pytestmark = pytest.mark.core


def test_multiple_instances_without_synchronization(patterns: Patterns) -> None:
    log = patterns.run("multiple_instances_without_synchronization", {"readers": ["a", "b"]})
    notices = [f"notices[{number}]/notify" for number in (0, 1)]
    assert log.overlap(*notices)
    assert log.completed("archive") < min(log.completed(path) for path in notices)
    assert max(log.completed(path) for path in notices) < log.one("execution.completed")


def test_multiple_instances_with_design_time_knowledge(patterns: Patterns) -> None:
    log = patterns.run("multiple_instances_design_time")
    signatures = [f"signatures[{number}]/sign" for number in range(3)]
    assert max(log.completed(path) for path in signatures) < log.completed("signatures") < log.began("file")


def test_multiple_instances_with_run_time_knowledge(patterns: Patterns) -> None:
    log = patterns.run("multiple_instances_run_time", {"pages": [f"p{number}" for number in range(5)]})
    pages = [f"pages[{number}]/read" for number in range(5)]
    assert max(log.completed(path) for path in pages) < log.completed("pages") < log.began("index")
    assert log.seen.nodes["pages"].output == [{"page": f"p{number}", "number": number} for number in range(5)]


def test_cancel_multiple_instances(patterns: Patterns) -> None:
    execution_id = patterns.start("cancel_multiple_instances", {"people": ["quick", "slow", "slow"]})
    patterns.until_completed(execution_id, "interviews[0]/note")
    patterns.until_running(execution_id, "interviews[1]/talk", "interviews[2]/talk")
    patterns.signal(execution_id, "stop")
    log = patterns.wait(execution_id)
    stopped = log.completed("stopped")
    assert log.completed("interviews[0]/note") < stopped
    assert stopped < min(log.cancelled(path) for path in ("interviews", "interviews[1]/talk", "interviews[2]/talk"))
    assert log.seen.output == "stopped"


def test_complete_multiple_instances(patterns: Patterns) -> None:
    log = patterns.run("complete_multiple_instances", {"shelves": ["a", "here", "b"]})
    withdrawn = [log.cancelled("search[0]/look"), log.cancelled("search[2]/look")]
    assert log.completed("search[1]/found") < min(withdrawn)
    assert max(withdrawn) < log.completed("search") < log.began("answer")
    assert log.seen.nodes["search"].output == [None, True, None]


def test_cancelling_partial_join_for_multiple_instances(patterns: Patterns) -> None:
    suppliers = [{"fast": True, "price": 1}, {"fast": False, "price": 2}, {"fast": True, "price": 3}]
    log = patterns.run("cancelling_partial_join_for_multiple_instances", {"suppliers": suppliers})
    offered = max(log.completed("offers[0]/offer"), log.completed("offers[2]/offer"))
    assert offered < log.cancelled("offers[1]/think") < log.began("choose")
    assert log.seen.nodes["offers"].output == [{"price": 1}, None, {"price": 3}]
