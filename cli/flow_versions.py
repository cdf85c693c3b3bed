"""The flows that are deployed, and their versions."""

from __future__ import annotations

import difflib
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import click

from aispine.errors import AISpineError
from cli import flow_files, output, text

if TYPE_CHECKING:
    from rich.text import Text

    from cli.client import Client

FLOWS: Final = "/api/v1/flows"


@click.command()
@click.argument("files", nargs=-1, required=True, type=flow_files.flow_file)
@output.output_option
@click.pass_context
def deploy(ctx: click.Context, files: tuple[Path, ...], form: output.Format) -> None:
    """Deploy the flows of FILES; nothing is deployed when one of them has problems.

    The same version with the same content again changes nothing. Test files beside the flows are passed over.

    \b
    Example:
      aispine flow deploy flows/*.yaml
    """
    from cli import client as api

    flows = flow_files.without_tests(files)
    flow_files.load(flows)
    client = api.from_context(ctx)
    deployed = [deploy_file(client, file) for file in flows]
    if form == "json":
        output.write_json(deployed)
        return
    for flow in deployed:
        click.echo(f"{flow['flow_id']} {flow['version']} {'deployed' if flow['created'] else 'unchanged'}")


def deploy_file(client: Client, file: Path) -> dict[str, Any]:
    """Deploys one file: the version, with `created` false when it was there."""
    headers = {"Content-Type": "application/yaml"}
    try:
        deployed: dict[str, Any] = client.post(
            FLOWS, data=file.read_bytes(), params={"file": file.name}, headers=headers
        )
    except AISpineError as error:
        raise _of_file(error, file) from error
    return deployed


def _of_file(error: AISpineError, file: Path) -> AISpineError:
    """The error with the file's whole path, which the API has no use for; problems of the file speak for themselves."""
    problems = [{**problem, "file": str(file)} if problem.get("file") else problem for problem in error.errors]
    if any(problem.get("file") for problem in problems):
        return type(error)(f"{flow_files.count(len(problems), 'problem')} in {file}", errors=problems)
    return type(error)(f"{file}: {error.message}", hint=error.hint, field=error.field, errors=problems)


@click.command("list")
@click.option("--limit", type=click.IntRange(1, 10_000), default=100, show_default=True, help="The most to list.")
@output.output_option
@click.pass_context
def list_(ctx: click.Context, limit: int, form: output.Format) -> None:
    """List the deployed flows.

    \b
    Example:
      aispine flow list
    """
    from cli import client as api

    flows = list(api.pages(api.from_context(ctx), FLOWS, params={}, limit=limit))
    if form == "json":
        output.write_json(flows)
        return
    rows = ((flow["flow_id"], flow["version"], flow["name"], text.local(flow["updated_at"])) for flow in flows)
    output.write_table(
        ("flow", "version", "name", "deployed"), rows, empty="No flow is deployed. Try `aispine flow deploy FILE`."
    )


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
