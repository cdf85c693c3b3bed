"""The types of events, one table for the engine, the API and the docs."""

from __future__ import annotations

from enum import StrEnum
from typing import Final


class EventType(StrEnum):
    """What an event says has happened."""

    EXECUTION_STARTED = "execution.started"
    EXECUTION_COMPLETED = "execution.completed"
    EXECUTION_FAILED = "execution.failed"
    EXECUTION_CANCELLED = "execution.cancelled"
    EXECUTION_TIMED_OUT = "execution.timed_out"
    EXECUTION_PAUSED = "execution.paused"
    EXECUTION_RESUMED = "execution.resumed"
    EXECUTION_RETRIED = "execution.retried"
    NODE_STARTED = "node.started"
    NODE_TOKENS = "node.tokens"
    NODE_COMPLETED = "node.completed"
    NODE_FAILED = "node.failed"
    NODE_RETRYING = "node.retrying"
    NODE_WAITING = "node.waiting"
    NODE_WOKEN = "node.woken"
    NODE_SKIPPED = "node.skipped"
    NODE_CANCELLED = "node.cancelled"
    NODE_LOST = "node.lost"
    NODE_RELEASED = "node.released"
    NODE_LATE_RESULT = "node.late_result"
    SIGNAL_RECEIVED = "signal.received"
    APPROVAL_ANSWERED = "approval.answered"

    @property
    def terminal(self) -> bool:
        """True when no event follows this one, unless the execution is retried."""
        return self in TERMINAL


TERMINAL: Final = frozenset(
    {
        EventType.EXECUTION_COMPLETED,
        EventType.EXECUTION_FAILED,
        EventType.EXECUTION_CANCELLED,
        EventType.EXECUTION_TIMED_OUT,
    }
)
