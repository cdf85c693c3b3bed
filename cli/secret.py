"""`aispine secret`: what calls need and nobody may see."""

from __future__ import annotations

import sys
from typing import Any, Final
from urllib.parse import quote

import click

from cli import inputs, listing, output, text

SECRETS: Final = "/api/v1/secrets"


@click.group()
def secret() -> None:
    """Set, list and delete secrets. A node gets one by `${secrets.NAME}` in its `input` or `config`.

    \b
    Example:
      aispine secret set bank_key
    """


@secret.command("set")
@click.argument("name")
@click.argument("value", metavar="[@FILE|-]", default="")
@click.pass_context
def set_(ctx: click.Context, name: str, value: str) -> None:
    """Keep a secret under NAME. It is asked for, unless it comes from a file or from stdin; a line end is left out.

    \b
    Example:
      aispine secret set bank_key
      vault read -field=key bank | aispine secret set bank_key -
    """
    from cli import client as api

    api.from_context(ctx).put(f"{SECRETS}/{quote(name, safe='')}", json={"value": _value(value)})
    click.echo(f"{name} set")


def _value(given: str) -> str:
    """Never from the command line itself, which the shell remembers and other users of the machine see."""
    if given == "-" or (not given and not sys.stdin.isatty()):
        return sys.stdin.read().rstrip("\r\n")
    if given.startswith("@"):
        from pathlib import Path

        return inputs.read_text(Path(given[1:])).rstrip("\r\n")
    if given:
        raise click.UsageError("Give the secret as @FILE or -, or type it when asked: the shell would remember it.")
    return str(click.prompt("Secret", hide_input=True, confirmation_prompt=True, err=True))


@secret.command("list")
@listing.limit_option(100)
@output.output_option
@click.pass_context
def list_(ctx: click.Context, limit: int, form: output.Format) -> None:
    """List the names of the secrets.

    \b
    Example:
      aispine secret list
    """
    found, empty = listing.read(ctx, SECRETS, limit), "No secrets. Set one with `aispine secret set NAME`."
    listing.write(found, form, ("name", "set"), _row, empty=empty)


def _row(found: dict[str, Any]) -> tuple[Any, ...]:
    return found["name"], text.local(found["updated_at"])


@secret.command()
@click.argument("name")
@click.pass_context
def delete(ctx: click.Context, name: str) -> None:
    """Delete a secret; calls that need it fail from now on.

    \b
    Example:
      aispine secret delete bank_key
    """
    from cli import client as api

    api.from_context(ctx).delete(f"{SECRETS}/{quote(name, safe='')}")
    click.echo(f"{name} deleted")


@secret.command()
def rotate() -> None:
    """Encrypt everything that is sealed with the first of AISPINE_ENCRYPTION_KEYS, in the database of this stack.

    Put the new key before the old ones, start the stack, rotate; then the old ones can go. Credentials of agents,
    tools and channels are sealed with the same keys.

    \b
    Example:
      aispine secret rotate
    """
    from aispine import secrets, settings
    from aispine.errors import Conflict
    from aispine.store import database

    done = secrets.rotate(database.engine_store(), settings.current())
    click.echo(f"{done.count} sealed anew")
    if done.unreadable:
        raise Conflict(
            f"none of the keys opens what is in {', '.join(done.unreadable)}",
            hint="Add the key that sealed it to AISPINE_ENCRYPTION_KEYS, or set it again.",
        )
