"""The entry point of `aispine`."""

from __future__ import annotations

from typing import Any, Final

import click

import aispine
from cli.errors import guarded
from cli.lazy import Command, LazyGroup
from cli.options import Options

COMMANDS: Final = {
    "agent": Command("cli.agent:agent", "Create, test, list, register and serve agents."),
    "approval": Command("cli.approval:approval", "List what waits for a person, and answer it."),
    "auth": Command("cli.auth:auth", "Check the API key; print the local stack's."),
    "call": Command("cli.call:call", "List the calls that were made to agents, tools and models."),
    "channel": Command("cli.channel:channel", "Add, list, test, link and remove messaging channels."),
    "db": Command("cli.db:db", "Back up, restore and migrate the database."),
    "demo": Command("cli.demo:demo", "Show a whole stack at work: guests over WhatsApp, two more flows."),
    "doctor": Command("cli.doctor:doctor", "Check each part of the stack and say what to do."),
    "execution": Command("cli.execution:execution", "List, show, stop, resume and repeat executions."),
    "file": Command("cli.file:file", "Put, get, list and delete files that flows refer to."),
    "flow": Command("cli.flow:flow", "Validate, compile, deploy, run and watch flows."),
    "hosts": Command("cli.hosts:hosts", "Show and set which hosts calls may go to."),
    "init": Command("cli.init:init", "Create a project with a first flow and a first agent."),
    "restart": Command("cli.restart:restart", "Restart the processes of the local stack, one after the other."),
    "schedule": Command("cli.schedule:schedule", "List, show, pause, resume, create and delete schedules."),
    "subject": Command("cli.subject:subject", "Show and erase what is kept of people who wrote over channels."),
    "tool": Command("cli.tool:tool", "Create, list, show, change, run and delete tools."),
    "secret": Command("cli.secret:secret", "Set, list, delete and rotate what calls need and nobody may see."),
    "up": Command("cli.up:up", "Start the stack on this machine."),
    "version": Command("cli.version:version", "Print the version of this command and of the API."),
    "worker": Command("cli.worker:worker", "Start one of the worker processes; list and drain workers."),
}


class Shell(LazyGroup):
    """The outermost group: whatever a command raises ends here."""

    def invoke(self, ctx: click.Context) -> Any:
        with guarded(debug=bool(ctx.params.get("debug"))):
            return super().invoke(ctx)


@click.group(
    cls=Shell, table=COMMANDS, context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100}
)
@click.option("--url", metavar="URL", help="The API's URL. [AISPINE_URL; default: the local stack]")
@click.option("--api-key", metavar="KEY", help="The API key. [AISPINE_API_KEY; default: the local stack's]")
@click.option("--debug", is_flag=True, help="Show where an unexpected error comes from.")
@click.version_option(aispine.__version__, prog_name="aispine")
@click.pass_context
def main(ctx: click.Context, url: str | None, api_key: str | None, debug: bool) -> None:
    """AI Spine: runs flows of AI agents on Celery workers and never loses one.

    \b
    Example:
      aispine up
      aispine flow run flows/credit_analysis.yaml --input @flows/credit_analysis.input.json --watch
    """
    ctx.obj = Options(url=url, api_key=api_key, debug=debug)
