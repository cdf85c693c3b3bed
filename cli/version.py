"""`aispine version`."""

from __future__ import annotations

import click

import aispine
from aispine.errors import AISpineError
from cli import output


@click.command()
@output.output_option
@click.pass_context
def version(ctx: click.Context, form: output.Format) -> None:
    """Print the version of this command, and of the API when one answers.

    \b
    Example:
      aispine version --output json
    """
    api = _api_version(ctx)
    if form == "json":
        output.write_json({"version": aispine.__version__, "api": api})
        return
    click.echo(f"aispine {aispine.__version__}")
    if api:
        click.echo(f"api     {api['version']} at {api['url']}")


def _api_version(ctx: click.Context) -> dict[str, str] | None:
    """The API's version; none is no error, since the command stands on its own."""
    from cli import client as api

    try:
        client = api.from_context(ctx)
        return {"version": client.get("/health")["version"], "url": client.url}
    except AISpineError:
        return None
