"""`aispine execution`: what ran, what runs, and how to stop it."""

from __future__ import annotations

from typing import Any, Final

import click

from aispine.flow.status import ExecutionStatus
from cli import inputs, output, text

EXECUTIONS: Final = "/api/v1/executions"
_STATUS: Final = click.Choice([status.value for status in ExecutionStatus])


@click.group()
def execution() -> None:
    """List, show and cancel executions.

    \b
    Example:
      aispine execution list --status failed
    """


@execution.command("list")
@click.option("--status", type=_STATUS, multiple=True, help="Only with this status; repeat for several.")
@click.option("--flow", metavar="NAME", help="Only of this flow.")
@click.option("-l", "--label", "labels", metavar="KEY=VALUE", multiple=True, help="Only with this label; repeat.")
@click.option("--correlation-id", metavar="ID", help="Only with this id of yours.")
@click.option("--limit", type=click.IntRange(1, 10_000), default=50, show_default=True, help="The most to list.")
@output.output_option
@click.pass_context
def list_(
    ctx: click.Context,
    status: tuple[str, ...],
    flow: str | None,
    labels: tuple[str, ...],
    correlation_id: str | None,
    limit: int,
    form: output.Format,
) -> None:
    """List executions, the newest first.

    \b
    Example:
      aispine execution list --flow credit_analysis --status failed --label customer=acme
    """
    from cli import client as api

    inputs.pairs(labels)
    params = {"status": list(status), "flow_id": flow, "label": list(labels), "correlation_id": correlation_id}
    found = list(api.pages(api.from_context(ctx), EXECUTIONS, params=params, limit=limit))
    if form == "json":
        output.write_json(found)
        return
    columns = ("execution", "flow", "version", "status", "started", "took")
    output.write_table(columns, map(_row, found), empty="No executions.")


def _row(row: dict[str, Any]) -> tuple[Any, ...]:
    started = row.get("started_at") or row["created_at"]
    took = text.between(started, row.get("finished_at")) if row.get("finished_at") else text.since(started)
    return (
        row["execution_id"],
        row["flow_id"],
        row["version"],
        output.status(row["status"]),
        text.local(started),
        text.duration(took),
    )


@execution.command()
@click.argument("execution_id")
@output.output_option
@click.pass_context
def show(ctx: click.Context, execution_id: str, form: output.Format) -> None:
    """Show an execution and its nodes.

    \b
    Example:
      aispine execution show 01990e2c-5f3a-7cc4-9d1f-2b6f3a1c0e77
    """
    from cli import client as api
    from cli import watch

    client = api.from_context(ctx)
    found, nodes = watch.show(client, execution_id), watch.results(client, execution_id)
    if form == "json":
        output.write_json({**found, "nodes": nodes})
        return
    _write_facts(found)
    click.echo()
    columns = ("node", "type", "status", "attempts", "took", "error")
    output.write_table(columns, map(_node_row, nodes), empty="No nodes.")
    if found.get("output") is not None:
        click.echo("\nOutput")
        output.write_value(found["output"])


def _write_facts(found: dict[str, Any]) -> None:
    from rich.table import Table
    from rich.text import Text

    from cli.progress import error_text

    grid = Table.grid(padding=(0, 2, 0, 0))
    for name, value in (
        ("Execution", found["execution_id"]),
        ("Flow", f"{found['flow_id']} {found['version']}"),
        ("Status", output.status(found["status"])),
        ("Started", text.local(found.get("started_at"))),
        ("Took", text.duration(text.between(found.get("started_at"), found.get("finished_at")))),
        ("Labels", ", ".join(f"{key}={value}" for key, value in (found.get("labels") or {}).items())),
        ("Correlation id", found.get("correlation_id")),
        ("Error", error_text(found["error"]) if found.get("error") else None),
    ):
        if value:
            grid.add_row(Text(name, style="dim"), output.cell(value))
    output.console().print(grid)


def _node_row(node: dict[str, Any]) -> tuple[Any, ...]:
    from cli.progress import error_text

    error = text.one_line(error_text(node["error"]), 200) if node.get("error") else ""
    took = text.between(node.get("started_at"), node.get("finished_at"))
    status = output.status(node["status"])
    return node["path"], node.get("type"), status, node.get("attempts") or None, text.duration(took), error


@execution.command()
@click.argument("execution_id")
@click.option("--reason", metavar="TEXT", help="Why; shown with the execution.")
@click.pass_context
def cancel(ctx: click.Context, execution_id: str, reason: str | None) -> None:
    """Cancel an execution, whatever its nodes are doing.

    \b
    Example:
      aispine execution cancel 01990e2c-5f3a-7cc4-9d1f-2b6f3a1c0e77 --reason "wrong input"
    """
    from cli import client as api

    body = {"reason": reason} if reason else {}
    api.from_context(ctx).post(f"{EXECUTIONS}/{execution_id}/cancel", json=body)
    click.echo(f"{execution_id} cancelled")
