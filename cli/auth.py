"""`aispine auth`."""

from __future__ import annotations

import click

from cli import output


@click.group()
def auth() -> None:
    """Check the API key.

    \b
    Example:
      aispine auth test
    """


@auth.command()
@output.output_option
@click.pass_context
def test(ctx: click.Context, form: output.Format) -> None:
    """Say whether the API takes this key.

    \b
    Example:
      aispine auth test
      aispine --url https://aispine.example.com --api-key KEY auth test
    """
    from cli import client as api

    client = api.from_context(ctx)
    client.get("/api/v1/flows", params={"limit": 1})
    if form == "json":
        output.write_json({"url": client.url, "authenticated": True})
    else:
        click.echo(f"{client.url} takes this key.")
