from __future__ import annotations

from aispine.events import wakeups
from aispine.events.types import TERMINAL, EventType
from aispine.flow.status import ExecutionStatus


def test_a_message_names_executions() -> None:
    assert wakeups.decode(wakeups.encode(["a", "b"]).encode()) == ["a", "b"]
    assert wakeups.decode(b"\xff") == ["\N{REPLACEMENT CHARACTER}"]


def test_each_way_an_execution_can_end_is_a_terminal_event() -> None:
    ends = {status for status in ExecutionStatus if status.terminal}
    assert {f"execution.{status}" for status in ends} == set(TERMINAL)
    assert {type_ for type_ in EventType if type_.terminal} == TERMINAL
