"""`python -m cli.reference` prints docs/cli.md, so that no command and no option goes without its line."""

from __future__ import annotations

import inspect
from collections.abc import Iterator
from typing import Any, Final

import click

from cli.main import main

_HEAD: Final = """\
# The command line

Every command takes `--help`. Those that show something take `--output table|json`; JSON goes to stdout alone, progress
and errors go to stderr. Colours are for terminals only, and `NO_COLOR` turns them off there too.

| exit code | means |
|---|---|
| 0 | it worked |
| 1 | it did not: the API refused, an execution did not complete, a part does not answer |
| 2 | the command line, a file or an input is not valid |
| 130 | Ctrl-C |

An error is one line, `Error: ...`, often with a second one, `Hint: ...`. The problems of a flow file stand before it,
each as `file:line:column: message (hint)`.

A command finds the API by `--url` and `--api-key`, else by `AISPINE_URL` and `AISPINE_API_KEY`, else by the project's
`aispine.toml`, else by the local stack that `aispine up` started. The local stack's key goes to the local stack alone.
"""


def reference() -> str:
    """The reference as Markdown."""
    return "\n".join([_HEAD, *_command(main, "aispine", None)])


def _command(command: click.Command, name: str, parent: click.Context | None) -> Iterator[str]:
    ctx = click.Context(command, info_name=name, parent=parent)
    yield f"## `{ctx.command_path}`\n"
    yield from _help(command)
    yield f"```console\n$ {command.get_usage(ctx).removeprefix('Usage: ')}\n```\n"
    yield from _options(command, ctx)
    if isinstance(command, click.Group):
        for child in command.list_commands(ctx):
            found = command.get_command(ctx, child)
            if found is not None and not found.hidden:
                yield from _command(found, child, ctx)


def _help(command: click.Command) -> Iterator[str]:
    """The help text; what click keeps as it is, after a line with a backspace, becomes a block."""
    text, _, example = inspect.cleandoc(command.help or "").partition("\b\n")
    yield text.strip() + "\n"
    if example:
        lines = inspect.cleandoc(example.removeprefix("Example:\n"))
        yield "Example:\n"
        yield f"```sh\n{lines}\n```\n"


def _options(command: click.Command, ctx: click.Context) -> Iterator[str]:
    options = [param for param in command.params if isinstance(param, click.Option) and not param.hidden]
    if options:
        yield "| option | |\n|---|---|"
        yield from (_row(option, ctx) for option in options)
        yield ""


def _row(option: click.Option, ctx: click.Context) -> str:
    record: Any = option.get_help_record(ctx)
    flags, text = (part.replace("|", "\\|") for part in record)
    return f"| `{flags}` | {' '.join(text.split())} |"


if __name__ == "__main__":
    click.echo(reference(), nl=False)
