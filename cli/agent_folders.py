"""Agents on this machine: their folders, their checks, and serving one."""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Final

import click

from aispine.errors import InvalidRequest, StackError
from cli import output, text

if TYPE_CHECKING:
    from aispine.agent.checkup import Check
    from aispine.agent.definition import Kind

API_KEY_VARIABLE = "AGENT_API_KEY"
api_key_option = click.option(
    "--agent-key",
    envvar=API_KEY_VARIABLE,
    metavar="KEY",
    help=f"The agent's own API key. [{API_KEY_VARIABLE}]",
)


@click.command()
@click.argument("name")
@click.option(
    "--kind",
    type=click.Choice(["python", "http", "llm"]),
    help="python: a function; http: a service with a Dockerfile; llm: a language model.  [default: python]",
)
@click.option("--http", is_flag=True, help="The same as --kind http.")
@click.option(
    "--directory",
    type=click.Path(file_okay=False, path_type=Path),
    help="Where to make the folder. [default: the first folder of agents_path in a project, else here]",
)
@output.output_option
def create(name: str, kind: Kind | None, http: bool, directory: Path | None, form: output.Format) -> None:
    """Create the folder NAME of a new agent, with samples and tests that pass.

    In a project it is made where the project's stack finds it.

    \b
    Example:
      aispine agent create invoice_reader
      aispine agent create concierge --kind llm
      aispine agent create invoice_reader --kind http --directory services
    """
    from aispine.agent import scaffold

    if http and kind not in {None, "http"}:
        raise click.UsageError("--http and --kind do not fit together")
    kind = kind or ("http" if http else "python")
    directory = directory or (Path() if kind == "http" else _own_agents())
    try:
        files = scaffold.create(name, directory, kind)
    except OSError as error:
        raise StackError(f"{directory / name} cannot be made: {error.strerror}") from error
    if form == "json":
        output.write_json({"agent_id": name, "folder": str(directory / name), "files": [str(path) for path in files]})
        return
    for path in files:
        click.echo(f"created {path}")
    click.echo(_next_steps(name, directory, kind))


def _own_agents() -> Path:
    """Where the stack looks for the user's agents first, else here."""
    from aispine import settings

    named = [part for part in settings.load(stack=False).agents_path.split(":") if part]
    return Path(text.short_path(Path(named[0]).expanduser().absolute())) if named else Path()


_INPUTS: Final = {"python": "{text: hello world}", "llm": "{name: Ada, language: English}"}
"""What the templates' agents take."""


def _next_steps(name: str, directory: Path, kind: Kind) -> str:
    folder = directory / name
    if kind == "http":
        return f"\nNext:\n  aispine agent test {folder}\n\nThen serve and register it as {folder / 'README.md'} says."
    found = directory == _own_agents() and directory != Path()
    where = "A running stack finds it within a few seconds." if found else f"Name it to the stack: {_named(directory)}"
    return (
        f"\nNext:\n  aispine agent test {folder}\n\n{where} A flow calls it so:\n"
        f"  - {{id: first, type: processor, agent_id: {name}@^1.0, input: {_INPUTS[kind]}}}"
    )


def _named(directory: Path) -> str:
    return f"AISPINE_AGENTS_PATH={directory.absolute()} aispine up."


@click.command()
@click.argument("target", metavar="PATH|URL")
@click.option(
    "--samples",
    type=click.Path(exists=True, file_okay=False, path_type=Path),
    help="A folder with samples to ask an agent at a URL.",
)
@api_key_option
@output.output_option
@click.pass_context
def test(ctx: click.Context, target: str, samples: Path | None, agent_key: str | None, form: output.Format) -> None:
    """Check an agent: its definition or the answers of its URL, and its samples. Exits 1 when a check fails.

    The application of an agent over HTTP is served for as long as it is checked.

    \b
    Example:
      aispine agent test agents/echo
      aispine agent test http://127.0.0.1:8800 --samples samples
    """
    checks = _checks(target, samples, agent_key)
    if form == "json":
        output.write_json([{**asdict(check), "passed": check.passed} for check in checks])
    else:
        _show(checks)
    if not all(check.passed for check in checks):
        ctx.exit(1)


def _checks(target: str, samples: Path | None, agent_key: str | None) -> list[Check]:
    from aispine import settings
    from aispine.agent import checkup

    if not target.startswith(("http://", "https://")):
        if not Path(target).is_dir():
            raise InvalidRequest(f"{target} is neither a folder nor an http(s) URL", field="target")
        return checkup.check_folder(Path(target), settings.current())
    from dataclasses import replace

    from cryptography.fernet import Fernet

    from aispine.agent import credential, sample

    # The key is sealed as a registered one would be, under a key that lives as long as this command.
    current = replace(settings.current(), encryption_keys=Fernet.generate_key().decode())
    sealed = credential.seal(agent_key, current.encryption_keys) if agent_key else None
    found = sample.read_files(samples) if samples else []
    return checkup.check_endpoint(target, found, current, credential=sealed)


def _show(checks: Sequence[Check]) -> None:
    rows = [
        (output.glyph("completed" if check.passed else "failed"), check.name, f"{check.seconds:.3f} s", check.problem)
        for check in checks
    ]
    output.write_table(("", "check", "took", "problem"), rows, empty="Nothing to check.")
    failed = sum(not check.passed for check in checks)
    click.echo(f"\n{len(checks) - failed} passed, {failed} failed")


@click.command()
@click.argument("path", type=click.Path(exists=True, file_okay=False, path_type=Path))
@click.option("--port", type=click.IntRange(0, 65535), default=8800, show_default=True, help="0 takes a free one.")
@click.option("--host", default="127.0.0.1", show_default=True, help="The address to listen on.")
@api_key_option
@output.output_option
def serve(path: Path, port: int, host: str, agent_key: str | None, form: output.Format) -> None:
    """Serve the python agent in PATH over HTTP: GET /health and POST /execute.

    \b
    Example:
      aispine agent serve agents/echo --port 8801
      AGENT_API_KEY=secret aispine agent serve agents/echo --host 0.0.0.0
    """
    from aispine import settings
    from aispine.agent import manifest
    from aispine.agent.server import AgentServer

    agent = manifest.read(path)
    try:
        server = AgentServer(agent, settings.current(), host=host, port=port, api_key=agent_key)
    except OSError as error:
        message = f"cannot listen on {host}:{port}: {os.strerror(error.errno) if error.errno else error}"
        raise StackError(message, hint="Choose another --port.") from error
    if form == "json":
        output.write_json({"agent_id": agent.agent_id, "version": agent.version, "url": server.url})
    else:
        click.echo(f"{agent.agent_id} {agent.version} listens on {server.url} (Ctrl-C stops it)")
    with server:
        server.serve_forever()
