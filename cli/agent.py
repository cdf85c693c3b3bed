"""`aispine agent`: everything about agents."""

from __future__ import annotations

from typing import Final

import click

from cli.lazy import Command, LazyGroup

COMMANDS: Final = {
    "create": Command("cli.agent_folders:create", "Create the folder of a new agent."),
    "test": Command("cli.agent_folders:test", "Check an agent's contract and samples, offline or at a URL."),
    "serve": Command("cli.agent_folders:serve", "Serve a python agent over HTTP."),
    "list": Command("cli.agent_registry:list_", "List the agents that flows can call."),
    "register": Command("cli.agent_registry:register", "Register an agent that answers over HTTP."),
    "circuit": Command("cli.circuit:circuit", "Show whether calls of an agent go through, and let them."),
}


@click.group(cls=LazyGroup, table=COMMANDS)
def agent() -> None:
    """Create, test, list, register and serve agents.

    \b
    Example:
      aispine agent create invoice_reader
      aispine agent test invoice_reader
    """
