"""The entry point of `aispine`; a command's module is imported when the command is used."""

from __future__ import annotations

import importlib
from typing import Final

import click

import aispine

COMMANDS: Final = {
    "agent": "cli.agent:agent",
    "auth": "cli.auth:auth",
    "demo": "cli.demo:demo",
    "doctor": "cli.doctor:doctor",
    "execution": "cli.execution:execution",
    "flow": "cli.flow:flow",
    "init": "cli.init:init",
    "up": "cli.up:up",
    "version": "cli.version:version",
    "worker": "cli.worker:worker",
}


class LazyGroup(click.Group):
    """A group whose commands are named by `module:attribute`, so that `--help` of one imports none of the others."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        return sorted(COMMANDS)

    def get_command(self, ctx: click.Context, name: str) -> click.Command | None:
        if name not in COMMANDS:
            return None
        module, attribute = COMMANDS[name].split(":")
        command = getattr(importlib.import_module(module), attribute)
        assert isinstance(command, click.Command)
        return command


@click.group(cls=LazyGroup, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(aispine.__version__, prog_name="aispine")
def main() -> None:
    """AI Spine: runs flows of AI agents on Celery workers and never loses one."""
