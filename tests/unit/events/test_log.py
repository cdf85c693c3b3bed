from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime

from aispine.events import wakeups
from aispine.events.log import LoggedEvent, follow
from aispine.events.types import TERMINAL, EventType
from aispine.events.wakeups import Subscription
from aispine.flow.status import ExecutionStatus


def event(seq: int, type_: str = "node.completed") -> LoggedEvent:
    return LoggedEvent(seq=seq, type=type_, path=None, data={}, created_at=datetime(2026, 1, 1, tzinfo=UTC))


class Log:
    """A log in memory that grows each time it is read."""

    def __init__(self, *batches: Sequence[LoggedEvent]) -> None:
        self.batches = list(batches)
        self.asked: list[int] = []

    def read_after(self, seq: int) -> Sequence[LoggedEvent]:
        self.asked.append(seq)
        return self.batches.pop(0) if self.batches else ()


def subscription() -> Subscription:
    """One that is woken at once, so that nothing waits."""
    found = Subscription("x", lambda: True)
    found.wait = lambda *_, **__: None
    return found


def test_follow_yields_in_order_and_ends_after_the_terminal_event() -> None:
    log = Log([event(3), event(4)], [], [event(5, "execution.completed")])
    seen = [each.seq for each in follow(log.read_after, subscription(), 2) if each]
    assert seen == [3, 4, 5]
    assert log.asked == [2, 4, 4]


def test_follow_goes_on_past_an_end_after_which_the_execution_was_retried() -> None:
    retried = [event(5, "execution.failed"), event(6, "execution.retried")]
    log = Log(retried, [event(7, "execution.completed")])
    assert [each.seq for each in follow(log.read_after, subscription(), 4) if each] == [5, 6, 7]


def test_follow_says_that_it_is_there_after_silence() -> None:
    log = Log([event(1)], [], [], [event(2, "execution.failed")])
    seen = [each and each.seq for each in follow(log.read_after, subscription(), 0, keep_alive=0.0)]
    assert seen == [1, None, None, 2]


def test_follow_ends_when_the_process_is_asked_to_stop() -> None:
    going = iter([True, True, False])
    log = Log([event(1)])
    assert [each and each.seq for each in follow(log.read_after, subscription(), 0, going_on=lambda: next(going))] == [
        1
    ]


def test_a_wake_up_between_the_reading_and_the_waiting_is_not_lost() -> None:
    woken = Subscription("x", lambda: True)
    reads = 0

    def read_after(_seq: int) -> Sequence[LoggedEvent]:
        nonlocal reads
        reads += 1
        if reads == 1:
            woken.wake()
            return ()
        return [event(1, "execution.completed")]

    # Unless woken it would wait for longer than a test may take.
    assert [each and each.seq for each in follow(read_after, woken, 0, keep_alive=3600)] == [1]


def test_a_message_names_executions() -> None:
    assert wakeups.decode(wakeups.encode(["a", "b"]).encode()) == ["a", "b"]
    assert wakeups.decode(b"\xff") == ["\N{REPLACEMENT CHARACTER}"]


def test_each_way_an_execution_can_end_is_a_terminal_event() -> None:
    ends = {status for status in ExecutionStatus if status.terminal}
    assert {f"execution.{status}" for status in ends} == set(TERMINAL)
    assert {type_ for type_ in EventType if type_.terminal} == TERMINAL
