"""What is said of an execution that is not there."""

from __future__ import annotations

from aispine.errors import NotFound


def unknown_execution(execution_id: str) -> NotFound:
    """The error for an id that no execution of this tenant has."""
    return NotFound(
        f"There is no execution `{execution_id[:64]}`",
        field="execution_id",
        hint="`aispine execution list` shows those there are.",
    )
