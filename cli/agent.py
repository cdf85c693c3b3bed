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
    "search": Command("cli.agent_standing:search", "Find agents by words, capability and how they stand."),
    "show": Command("cli.agent_standing:show", "Show an agent: its versions, its calls and its last checks."),
    "suspend": Command("cli.agent_standing:suspend", "Let an agent not be called for now."),
    "activate": Command("cli.agent_standing:activate", "Let a suspended agent be called again, or a draft at last."),
    "deprecate": Command("cli.agent_standing:deprecate", "Say that flows should use another version."),
    "circuit": Command("cli.circuit:circuit", "Show whether calls of an agent go through, and let them."),
}


@click.group(cls=LazyGroup, table=COMMANDS)
def agent() -> None:
    """Create, test, register, find and serve agents, and say how they stand.

    \b
    Example:
      aispine agent create invoice_reader
      aispine agent test invoice_reader
    """
