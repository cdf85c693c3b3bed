"""`aispine restart`: every process of the local stack anew, without a gap."""

from __future__ import annotations

import click

from aispine import settings
from aispine.stack import restart as stack


@click.command(short_help="Restart the processes of the local stack, one after the other.")
def restart() -> None:
    """Restart the API, the workers and beat of the local stack one after the other; the servers stay.

    No request is refused meanwhile, since `aispine up` holds the API's socket, and each successor runs before the old
    process is asked to end. A worker finishes what it runs, for 30 s at most, and hands back the rest. Use it after an
    agent's package or the product was upgraded; when the upgrade changes the database, run `aispine db migrate` first.

    \b
    Example:
      aispine restart
    """
    names = stack.restart(settings.load(stack=False).home, settings.load().database_url)
    click.echo(f"restarted: {', '.join(names)}")
