"""`aispine flow`: everything about flows."""

from __future__ import annotations

from typing import Final

import click

from cli.lazy import Command, LazyGroup

COMMANDS: Final = {
    "validate": Command("cli.flow_files:validate", "Report every problem of flow files, offline."),
    "compile": Command("cli.flow_files:compile_", "Show the canvas of a flow file as a tree, offline."),
    "test": Command("cli.flow_test:test", "Run the cases of test files, offline."),
    "deploy": Command("cli.flow_deploy:deploy", "Deploy flow files."),
    "list": Command("cli.flow_versions:list_", "List the deployed flows."),
    "show": Command("cli.flow_versions:show", "Show a deployed flow."),
    "versions": Command("cli.flow_versions:versions", "List the versions of a flow."),
    "diff": Command("cli.flow_versions:diff", "Compare two versions of a flow, or one with a file."),
    "delete": Command("cli.flow_versions:delete", "Delete a flow; its running executions go on."),
    "run": Command("cli.flow_run:run", "Run a flow, or a flow file after deploying it."),
    "watch": Command("cli.flow_run:watch", "Watch an execution until it ends."),
    "logs": Command("cli.flow_logs:logs", "Show what the agents of an execution wrote."),
}


@click.group(cls=LazyGroup, table=COMMANDS)
def flow() -> None:
    """Validate, compile, test, deploy, run and watch flows.

    \b
    Example:
      aispine flow validate flows/*.yaml
      aispine flow run flows/hello.yaml --input '{"name": "Ada"}' --watch
    """
