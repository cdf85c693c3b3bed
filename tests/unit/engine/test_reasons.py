"""Why a node does not run, as a line for people."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
import yaml

from aispine.engine import reasons
from aispine.engine.reasons import Server, Situation, WaitingFor
from aispine.flow import validation
from aispine.flow.plan import plan
from aispine.flow.status import NodeStatus
from aispine.store.call_slots import Place
from aispine.store.models import NodeExecutionRow
from tests.support.shapes import echo, flow

NOW = datetime(2026, 3, 1, 10, 32, 0, tzinfo=UTC)
SOURCES = [f"s{index}" for index in range(7)]


def situation(**changes: Any) -> Situation:
    nodes = (*(echo(name) for name in SOURCES), echo("last", *SOURCES))
    found, problems = validation.check(yaml.safe_dump(flow("why", *nodes)), "why.yaml")
    assert found is not None, problems
    return replace(Situation(now=NOW, plan=plan(found), statuses={}), **changes)


def server(**changes: Any) -> Server:
    given = Server(
        name="io@w3", host="w3", processes=frozenset({7}), queues=("io",), slots=8, busy=0, live=True, consuming=True
    )
    return replace(given, **changes)


def row(status: str, **columns: Any) -> NodeExecutionRow:
    return NodeExecutionRow(path="s0", node_id="s0", status=status, **columns)


def ago(seconds: float) -> datetime:
    return NOW - timedelta(seconds=seconds)


def text(found: NodeExecutionRow, **changes: Any) -> str | None:
    reason = reasons.of_row(found, situation(**changes))
    return reason.text if reason else None


def test_a_pending_node_names_what_it_waits_for_and_counts_the_rest() -> None:
    statuses = {"s0": NodeStatus.COMPLETED, "s1": NodeStatus.SKIPPED}
    few = reasons.untouched("last", situation(statuses=statuses))
    assert few is not None
    assert few.text == "waits for `s2`, `s3`, `s4`, `s5`, `s6`"
    assert few.waiting_for is not None
    assert few.waiting_for.nodes == ("s2", "s3", "s4", "s5", "s6")
    many = reasons.untouched("last", situation())
    assert many is not None
    assert many.text.endswith("`s4` and 2 more")


def test_before_its_start_no_node_waits_for_another() -> None:
    reason = reasons.untouched("last", situation(started=False))
    assert reason is not None
    assert reason.text == "the execution has not been started yet"


QUEUED = {
    "behind others": ({"lengths": {"io": 341}, "servers": [server()]}, "queued 12 s behind 340 in `io`"),
    "alone": ({"lengths": {"io": 1}, "servers": [server()]}, "queued 12 s in `io`"),
    "length unknown": ({"servers": [server()]}, "queued 12 s in `io`"),
    "no worker": ({}, "queued 12 s in `io`, which no worker serves"),
    "a dead worker": ({"servers": [server(live=False)]}, "queued 12 s in `io`, which no worker serves"),
    "another's worker": ({"servers": [server(queues=("cpu",))]}, "queued 12 s in `io`, which no worker serves"),
    "draining": ({"servers": [server(consuming=False)]}, "queued 12 s in `io`, whose workers all drain"),
    "busy": ({"servers": [server(busy=8)]}, "queued 12 s in `io`, all 8 slots busy"),
    "one of two busy": ({"servers": [server(busy=8), server()]}, "queued 12 s in `io`"),
}


@pytest.mark.parametrize("name", QUEUED)
def test_a_queued_node_says_how_long_and_what_keeps_it(name: str) -> None:
    changes, expected = QUEUED[name]
    assert text(row("queued", queue="io", queued_at=ago(12)), **changes) == expected


IN_LINE = {
    "behind others": (5, 1200, "which takes 5 calls at once (slot limit), behind 1,200 others"),
    "behind one": (2, 1, "which takes 2 calls at once (slot limit), behind another"),
    "next": (1, 0, "which takes one call at once (slot limit)"),
}


@pytest.mark.parametrize("name", IN_LINE)
def test_a_node_that_waits_for_a_slot_of_its_agent_says_how_many_stand_before_it(name: str) -> None:
    most, ahead, expected = IN_LINE[name]
    place = Place(agent_id="eddie", max_concurrency=most, ahead=ahead)
    reason = reasons.of_row(row("queued", queue="io", queued_at=ago(-600)), situation(places={"s0": place}))
    assert reason is not None
    assert reason.text == f"waits for a slot of `eddie`, {expected}"
    assert reason.waiting_for == WaitingFor(kind="slot", name="eddie", ahead=ahead)


def test_a_node_that_is_tried_again_says_when_and_after_what() -> None:
    error = {"code": "unavailable", "message": "no answer"}
    found = row("retrying", error=error, due_at=ago(-7))
    assert text(found) == "retry at 10:32:07 UTC after unavailable: no answer"


def test_a_running_node_says_where_it_runs() -> None:
    found = row("running", lease_owner="w3:7:abc", started_at=ago(5), due_at=ago(-9))
    assert text(found, servers=[server()]) == "on io@w3 (pid 7) since 10:31:55 UTC"
    assert text(found) == "on w3 (pid 7) since 10:31:55 UTC"


def test_a_node_whose_worker_renews_no_lease_says_that_it_is_lost() -> None:
    found = row("running", lease_owner="w3:7:abc", started_at=ago(60), due_at=ago(-2))
    assert text(found, servers=[server()]) == "worker io@w3 (pid 7) lost 8 s ago"
    assert text(row("running", lease_owner="w3:7:abc", started_at=ago(60), due_at=ago(-3))) != text(found)


def test_a_container_that_runs_has_no_worker_to_name() -> None:
    assert text(row("running", started_at=ago(5))) is None


WAITING = {
    "timer": ({"state": {"for": "timer"}, "due_at": ago(-60)}, "waits until 10:33:00 UTC"),
    "another day": ({"state": {"for": "timer"}, "due_at": ago(-86400)}, "waits until 2026-03-02 10:32:00 UTC"),
    "signal": ({"state": {"for": "signal", "signal": "paid"}}, "waits for the signal `paid`"),
    "approval": ({"state": {"for": "approval"}, "started_at": ago(60)}, "approval pending since 10:31:00 UTC"),
    "mutex": ({"state": {"for": "mutex", "mutex": "m"}}, "waits for the mutex `m`, held by `s1`"),
    "child": ({"state": {"child": "e1"}}, "waits for execution e1, which is running"),
}


@pytest.mark.parametrize("name", WAITING)
def test_a_waiting_node_says_what_for(name: str) -> None:
    columns, expected = WAITING[name]
    assert text(row("waiting", **columns), mutexes={"m": ["s1", "s0"]}, children={"e1": "running"}) == expected


@pytest.mark.parametrize("status", ["queued", "retrying", "waiting"])
def test_in_a_paused_execution_that_is_the_reason(status: str) -> None:
    assert text(row(status, queue="io"), paused_at=ago(90)) == "the execution is paused since 10:30:30 UTC"


def test_a_pause_lets_what_runs_go_on() -> None:
    found = row("running", lease_owner="w3:7:abc", started_at=ago(5), due_at=ago(-9))
    assert text(found, paused_at=ago(3)) == "on w3 (pid 7) since 10:31:55 UTC"


@pytest.mark.parametrize("status", ["completed", "failed", "skipped", "cancelled"])
def test_a_node_that_has_ended_gives_no_reason(status: str) -> None:
    assert text(row(status)) is None


@pytest.mark.parametrize(
    ("reason", "told"),
    [
        ("blocked", "what it depends on failed"),
        ("guard", "its condition does not hold"),
        ("no live edge", "no way that was taken leads to it"),
    ],
)
def test_a_node_that_was_skipped_says_why(reason: str, told: str) -> None:
    found = reasons.of_skipped(row("skipped", state={"reason": reason}))
    assert found is not None
    assert found.text == told
    assert reasons.of_skipped(row("completed", state={"reason": reason})) is None
