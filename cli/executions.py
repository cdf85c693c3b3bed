"""Listing and showing executions."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from dataclasses import replace
from typing import Any, Final

import click

from aispine.flow import paths
from aispine.flow.status import ExecutionStatus, NodeStatus
from cli import inputs, listing, output, text, waiting
from cli.nesting import Nesting
from cli.node_progress import error_text, of_result
from cli.shape import Shape

EXECUTIONS: Final = "/api/v1/executions"
_STATUS: Final = click.Choice([status.value for status in ExecutionStatus])
_FRAMES: Final = 10
"""How many frames of a container are shown before they are only summed up."""


@click.command("list")
@click.option("--status", type=_STATUS, multiple=True, help="Only with this status; repeat for several.")
@click.option("--flow", metavar="NAME", help="Only of this flow.")
@click.option("-l", "--label", "labels", metavar="KEY=VALUE", multiple=True, help="Only with this label; repeat.")
@click.option("--correlation-id", metavar="ID", help="Only with this id of yours.")
@click.option("--parent", metavar="ID", help="Only the subflows of this execution.")
@click.option("--schedule", metavar="ID", help="Only what this schedule started.")
@listing.limit_option()
@output.output_option
@click.pass_context
def list_(
    ctx: click.Context,
    status: tuple[str, ...],
    flow: str | None,
    labels: tuple[str, ...],
    correlation_id: str | None,
    parent: str | None,
    schedule: str | None,
    limit: int,
    form: output.Format,
) -> None:
    """List executions, the newest first.

    \b
    Example:
      aispine execution list --flow credit_analysis --status failed --label customer=acme
    """
    inputs.pairs(labels)
    params = {
        "status": list(status),
        "flow_id": flow,
        "label": list(labels),
        "correlation_id": correlation_id,
        "parent": parent,
        "schedule_id": schedule,
    }
    found = listing.read(ctx, EXECUTIONS, limit, params)
    columns = ("execution", "flow", "version", "status", "started", "took")
    listing.write(found, form, columns, _row, empty="No executions.", spare=("took", "started", "version"))


def _row(row: dict[str, Any]) -> tuple[Any, ...]:
    started = row.get("started_at") or row["created_at"]
    took = _took(row) if row.get("finished_at") else text.duration(text.since(started))
    return row["execution_id"], row["flow_id"], row["version"], output.status(row["status"]), text.local(started), took


def _took(row: dict[str, Any]) -> str | None:
    """How long an ended execution took, since it began."""
    return text.duration(text.between(row.get("started_at") or row["created_at"], row.get("finished_at")))


@click.command()
@click.argument("execution_id")
@output.sensitive_option
@output.output_option
@click.pass_context
def show(ctx: click.Context, execution_id: str, sensitive: bool, form: output.Format) -> None:
    """Show an execution and its nodes.

    \b
    Example:
      aispine execution show 01990e2c-5f3a-7cc4-9d1f-2b6f3a1c0e77
    """
    from cli import client as api
    from cli import watch

    client = api.from_context(ctx)
    found = watch.show(client, execution_id, sensitive=sensitive)
    nodes = watch.results(client, execution_id, sensitive=sensitive)
    if form == "json":
        output.write_json({**found, "nodes": nodes})
        return
    _write_facts(found)
    click.echo()
    columns = ("node", "type", "status", "attempts", "took", "about")
    rows = _rows(nodes, watch.shape(client, found))
    output.write_table(columns, rows, empty="No nodes.", spare=("took", "type", "attempts"))
    _write_questions(execution_id, nodes)
    if found.get("output") is not None:
        click.echo("\nOutput")
        output.write_value(found["output"])


def _write_questions(execution_id: str, nodes: list[dict[str, Any]]) -> None:
    """Says what to do about the nodes that wait for somebody."""
    for node in nodes:
        advice = waiting.advice(execution_id, node["path"], node.get("waiting_for") or {})
        if advice:
            click.echo(advice, err=True)


def _write_facts(found: dict[str, Any]) -> None:
    facts = (
        ("Execution", found["execution_id"]),
        ("Flow", f"{found['flow_id']} {found['version']}"),
        ("Status", output.status(found["status"])),
        ("Started", text.local(found.get("started_at"))),
        ("Took", _took(found)),
        ("Labels", ", ".join(f"{key}={value}" for key, value in (found.get("labels") or {}).items())),
        ("Correlation id", found.get("correlation_id")),
        ("Subflow of", " ".join(filter(None, (found.get("parent_execution_id"), found.get("parent_path"))))),
        ("Rerun of", found.get("rerun_of")),
        ("Schedule", found.get("schedule_id")),
        ("Paused", text.local(found.get("paused_at"))),
        ("Error", error_text(found["error"]) if found.get("error") else None),
    )
    output.write_facts(facts)


def _rows(nodes: list[dict[str, Any]], types: Shape) -> Iterator[tuple[Any, ...]]:
    """A row for each node, those in bodies below their containers."""
    known = {node["path"]: of_result(node) for node in nodes}
    totals = Counter(paths.container_of(path) for path in known if paths.is_frame(path))
    nesting = Nesting(types)
    for path, node in known.items():
        known[path] = replace(node, total=totals[path] or None)
        if not (paths.is_frame(path) and node.status == NodeStatus.PENDING):
            nesting.add(path)
    for line in nesting.lines(known, _FRAMES):
        node = line.node
        took = text.duration(text.between(node.started_at, node.finished_at))
        about = "  ".join(filter(None, (line.summary, node.note)))
        name = "  " * line.depth + line.name
        yield name, node.type, output.status(node.status), node.attempts or None, took, about
