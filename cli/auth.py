"""`aispine auth`."""

from __future__ import annotations

import click

from cli import output


@click.group()
def auth() -> None:
    """Check the API key, and print the local stack's.

    \b
    Example:
      aispine auth test
    """


@auth.command()
@output.output_option
def key(form: output.Format) -> None:
    """Print the local stack's API key; where it is kept goes to stderr.

    \b
    Example:
      export AISPINE_API_KEY=$(aispine auth key)
    """
    from aispine import settings
    from aispine.errors import NotFound
    from aispine.stack import home

    file = settings.load(stack=False).home / home.API_KEY_FILE
    kept = home.read_text(file)
    if kept is None:
        raise NotFound(f"there is no {file}", hint="`aispine up` makes it when it first sets up its database.")
    if form == "json":
        output.write_json({"api_key": kept, "file": str(file)})
        return
    click.echo(kept)
    click.echo(f"It is kept in {file}.", err=True)


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
