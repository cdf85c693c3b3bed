"""`aispine agent circuit` and `aispine tool circuit`: whether calls go through."""

from __future__ import annotations

import click

from cli import output

reset_option = click.option("--reset", is_flag=True, help="Let calls go through again and forget the failures.")


@click.command()
@click.argument("agent_id", metavar="AGENT")
@reset_option
@output.output_option
@click.pass_context
def circuit(ctx: click.Context, agent_id: str, reset: bool, form: output.Format) -> None:
    """Show whether calls of AGENT go through, or are kept back since it failed again and again.

    \b
    Example:
      aispine agent circuit eddie
      aispine agent circuit eddie --reset
    """
    show(ctx, f"/api/v1/agents/{agent_id}/circuit", form, reset=reset)


def show(ctx: click.Context, path: str, form: output.Format, *, reset: bool) -> None:
    """Shows the circuit at a path of the API, once it is reset if told so."""
    from cli import client as api

    client = api.from_context(ctx)
    if reset:
        client.delete(path)
    found = client.get(path)
    if form == "json":
        output.write_json(found)
    elif found["state"] == "open":
        click.echo(f"open: no call for another {found['seconds']:.0f} s, after {found['failures']} failures in a row")
    else:
        click.echo(f"{found['state']}: {found['failures']} failures in a row")
