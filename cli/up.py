"""`aispine up`: the whole product on this machine."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import click

from aispine import settings
from aispine.stack.up import up as start


@click.command(short_help="Start the whole stack on this machine.")
@click.option("--host", help="The address to listen on.  [default: 127.0.0.1]")
@click.option("--port", type=click.IntRange(1, 65535), help="The port of the API.  [default: 8700]")
@click.option("--flower", is_flag=True, help="Start Flower too and turn task events on.")
@click.option(
    "-f",
    "--procfile",
    type=click.Path(exists=True, dir_okay=False, resolve_path=True, path_type=Path),
    help="Another Procfile than the product's own.",
)
def up(host: str | None, port: int | None, flower: bool, procfile: Path | None) -> None:
    """Start PostgreSQL, Redis, the API and the workers, and keep them running until Ctrl-C.

    \b
    Example:
      aispine up --port 9000
    """
    loaded = settings.load(stack=False)
    start(
        replace(loaded, host=host or loaded.host, port=port or loaded.port),
        flower=flower,
        say=click.echo,
        path=procfile,
    )
