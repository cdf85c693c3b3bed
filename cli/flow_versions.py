"""The flows that are deployed, and their versions."""

from __future__ import annotations

import difflib
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from cli import listing, output, text
from cli.flow_deploy import FLOWS

if TYPE_CHECKING:
    from rich.text import Text

    from cli.client import Client


@click.command("list")
@listing.limit_option(100)
@output.output_option
@click.pass_context
def list_(ctx: click.Context, limit: int, form: output.Format) -> None:
    """List the deployed flows.

    \b
    Example:
      aispine flow list
    """
    found, empty = listing.read(ctx, FLOWS, limit), "No flow is deployed. Try `aispine flow deploy FILE`."
    listing.write(found, form, ("flow", "version", "name", "deployed"), _row, empty=empty)


def _row(flow: dict[str, Any]) -> tuple[Any, ...]:
    return flow["flow_id"], flow["version"], flow["name"], text.local(flow["updated_at"])


@click.command()
@click.argument("name")
@click.option("--version", metavar="VERSION", help="A version; the newest unless given.")
@click.option("--source", is_flag=True, help="Print the file as it was deployed.")
@output.output_option
@click.pass_context
def show(ctx: click.Context, name: str, version: str | None, source: bool, form: output.Format) -> None:
    """Show a deployed flow: its nodes, or its file.

    \b
    Example:
      aispine flow show credit_analysis
      aispine flow show credit_analysis --version 1.0.0 --source > flow.yaml
    """
    from cli import client as api

    flow = fetch(api.from_context(ctx), name, version)
    if source:
        click.echo(flow["source"], nl=not flow["source"].endswith("\n"))
    elif form == "json":
        output.write_json(flow)
    else:
        _show(flow)


def fetch(client: Client, name: str, version: str | None) -> dict[str, Any]:
    """A flow's version with its source; the newest when none is named."""
    path = f"{FLOWS}/{name}/versions/{version}" if version else f"{FLOWS}/{name}"
    flow: dict[str, Any] = client.get(path)
    return flow


def _show(flow: dict[str, Any]) -> None:
    click.echo(f"{flow['flow_id']} {flow['version']}  {flow['name']}")
    if flow.get("description"):
        click.echo(text.printable(flow["description"].strip()))
    click.echo()
    rows = ((node["id"], node["type"], node["agent_id"], ", ".join(node["depends_on"])) for node in flow["nodes"])
    output.write_table(("node", "type", "agent", "depends on"), rows, empty="No nodes.")


@click.command()
@click.argument("name")
@output.output_option
@click.pass_context
def versions(ctx: click.Context, name: str, form: output.Format) -> None:
    """List the versions of a flow, the newest first.

    \b
    Example:
      aispine flow versions credit_analysis
    """
    from cli import client as api

    found = api.from_context(ctx).get(f"{FLOWS}/{name}/versions")["data"]
    if form == "json":
        output.write_json(found)
        return
    rows = ((row["version"], text.local(row["created_at"]), row["content_hash"][:12]) for row in found)
    output.write_table(("version", "deployed", "content"), rows, empty="No versions.")


@click.command()
@click.argument("name")
@click.argument("old", metavar="V1")
@click.argument("new", metavar="V2|FILE")
@click.pass_context
def diff(ctx: click.Context, name: str, old: str, new: str) -> None:
    """Compare two versions of a flow, or a version with a file; exit with 1 when they differ.

    \b
    Example:
      aispine flow diff credit_analysis 1.0.0 1.1.0
      aispine flow diff credit_analysis 1.0.0 flows/credit_analysis.yaml
    """
    from cli import client as api

    client = api.from_context(ctx)
    before, after = _source(client, name, old), _source(client, name, new)
    lines = list(difflib.unified_diff(before[1], after[1], before[0], after[0], lineterm=""))
    console = output.console()
    for line in _coloured(lines):
        console.print(line, soft_wrap=True)
    ctx.exit(1 if lines else 0)


def _source(client: Client, name: str, version: str) -> tuple[str, list[str]]:
    if version.endswith((".yaml", ".yml")):
        from cli.inputs import read_text

        return version, read_text(Path(version)).splitlines()
    return f"{name} {version}", fetch(client, name, version)["source"].splitlines()


def _coloured(lines: list[str]) -> Iterator[Text]:
    from rich.text import Text

    styles = {"+": "green", "-": "red", "@": "cyan"}
    for number, line in enumerate(lines):
        style = "bold" if number < 2 else styles.get(line[:1], "")
        yield Text(text.printable(line), style=style)


@click.command()
@click.argument("name")
@click.pass_context
def delete(ctx: click.Context, name: str) -> None:
    """Delete a flow. Its running executions go on, and it can be deployed again.

    \b
    Example:
      aispine flow delete hello
    """
    from cli import client as api

    api.from_context(ctx).delete(f"{FLOWS}/{name}")
    click.echo(f"{name} deleted")
