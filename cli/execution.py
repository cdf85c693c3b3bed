"""`aispine execution`: everything about executions."""

from __future__ import annotations

from typing import Final

import click

from cli.lazy import Command, LazyGroup

COMMANDS: Final = {
    "list": Command("cli.executions:list_", "List executions."),
    "show": Command("cli.executions:show", "Show an execution and its nodes."),
    "cancel": Command("cli.operations:cancel", "Cancel an execution."),
    "pause": Command("cli.operations:pause", "Start nothing more in an execution until it is resumed."),
    "resume": Command("cli.operations:resume", "Let a paused execution go on."),
    "retry": Command("cli.operations:retry", "Open an execution again that ended without success."),
    "rerun": Command("cli.operations:rerun", "Run an execution once more as a new one."),
    "signal": Command("cli.operations:signal", "Send a signal to an execution."),
}


@click.group(cls=LazyGroup, table=COMMANDS)
def execution() -> None:
    """List and show executions, and cancel, pause, resume, retry, rerun and signal them.

    \b
    Example:
      aispine execution list --status failed
    """
