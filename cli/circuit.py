"""`aispine agent circuit` and `aispine tool circuit`: whether calls go through."""

from __future__ import annotations

from typing import Any

import click

from cli import output

reset_option = click.option("--reset", is_flag=True, help="Let calls go through again and forget the failures.")


@click.command()
@click.argument("agent_id", metavar="AGENT")
@click.option("--model", "place", type=click.IntRange(min=1), metavar="PLACE", help="Only this model of an llm agent.")
@reset_option
@output.output_option
@click.pass_context
def circuit(ctx: click.Context, agent_id: str, place: int | None, reset: bool, form: output.Format) -> None:
    """Show whether calls of AGENT go through, or are kept back since it failed again and again.

    An llm agent has a circuit for each of its models, which all agents that ask the model share.

    \b
    Example:
      aispine agent circuit eddie
      aispine agent circuit eddie --reset
      aispine agent circuit order_clerk --model 2 --reset
    """
    from cli import client as api

    agent = f"/api/v1/agents/{agent_id}"
    if place is not None:
        show(ctx, f"{agent}/models/{place}/circuit", form, reset=reset)
    elif api.from_context(ctx).get(agent)["kind"] == "llm":
        _show_models(ctx, f"{agent}/models", form, reset=reset)
    else:
        show(ctx, f"{agent}/circuit", form, reset=reset)


def show(ctx: click.Context, path: str, form: output.Format, *, reset: bool) -> None:
    """Shows the circuit at a path of the API, once it is reset if told so."""
    from cli import client as api

    client = api.from_context(ctx)
    if reset:
        client.delete(path)
    found = client.get(path)
    if form == "json":
        output.write_json(found)
    else:
        click.echo(_words(found))


def _show_models(ctx: click.Context, path: str, form: output.Format, *, reset: bool) -> None:
    from cli import client as api

    client = api.from_context(ctx)
    if reset:
        for each in client.get(path)["data"]:
            client.delete(f"{path}/{each['place']}/circuit")
    found = client.get(path)["data"]
    if form == "json":
        output.write_json(found)
        return
    rows = ((str(each["place"]), each["model"], each["base_url"], _words(each["circuit"])) for each in found)
    output.write_table(("place", "model", "at", "circuit"), rows, empty="No models.", spare=("at",))


def _words(found: dict[str, Any]) -> str:
    if found["state"] == "open":
        return f"open: no call for another {found['seconds']:.0f} s, after {found['failures']} failures in a row"
    return f"{found['state']}: {found['failures']} failures in a row"
