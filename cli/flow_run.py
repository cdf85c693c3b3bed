"""Running flows and watching executions."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from aispine.errors import InvalidRequest, NotFound
from cli import inputs, output

if TYPE_CHECKING:
    from cli.client import Client


@click.command()
@click.argument("flow", metavar="NAME[@RANGE]|FILE")
@click.option("-i", "--input", "input_", metavar="JSON|@FILE|-", default="{}", help="The input. [default: {}]")
@click.option("--version", metavar="VERSION", help="A version or a range such as ^1.2; the newest unless given.")
@click.option("-l", "--label", "labels", metavar="KEY=VALUE", multiple=True, help="A label of the execution; repeat.")
@click.option("--correlation-id", metavar="ID", help="An id of yours to find the execution by.")
@click.option("--idempotency-key", metavar="KEY", help="The same key again answers with the same execution.")
@click.option("-w", "--watch", is_flag=True, help="Show live progress until the execution ends.")
@click.option("--wait", is_flag=True, help="Wait silently until the execution ends.")
@click.option("--timeout", metavar="SECONDS", type=click.FloatRange(min=0), help="Wait no longer; it goes on.")
@output.output_option
@click.pass_context
def run(
    ctx: click.Context,
    flow: str,
    input_: str,
    version: str | None,
    labels: tuple[str, ...],
    correlation_id: str | None,
    idempotency_key: str | None,
    watch: bool,
    wait: bool,
    timeout: float | None,
    form: output.Format,
) -> None:
    """Run a flow by its name, as hello or hello@^1.2, or a flow file, which is deployed first.

    Exits with 1 when it was waited for and did not complete.

    \b
    Example:
      aispine flow run flows/hello.yaml --input '{"name": "Ada"}' --watch
      aispine flow run credit_analysis --input @application.json --wait --output json
    """
    from cli import client as api

    flow, version = _named(flow, version)
    body = {
        "input_data": inputs.object_input(input_),
        "labels": inputs.pairs(labels),
        "correlation_id": correlation_id,
        **({"version": version} if version else {}),
    }
    file = _file(flow, version)
    client = api.from_context(ctx)
    execution = begin(client, {**_target(client, flow, file), **body}, idempotency_key)
    if watch or wait:
        finish(client, execution["execution_id"], form=form, visible=watch, timeout=timeout)
    else:
        write_started(execution, form)


@click.command()
@click.argument("execution_id")
@click.option("--timeout", metavar="SECONDS", type=click.FloatRange(min=0), help="Watch no longer; it goes on.")
@output.output_option
@click.pass_context
def watch(ctx: click.Context, execution_id: str, timeout: float | None, form: output.Format) -> None:
    """Show live progress of an execution until it ends.

    Ctrl-C leaves the execution running. Exits with 1 when it did not complete.

    \b
    Example:
      aispine flow watch 01990e2c-5f3a-7cc4-9d1f-2b6f3a1c0e77
    """
    from cli import client as api

    finish(api.from_context(ctx), execution_id, form=form, visible=True, timeout=timeout)


def _named(flow: str, version: str | None) -> tuple[str, str | None]:
    """The flow and its version, which NAME@RANGE says in one word."""
    name, at, range_ = flow.partition("@")
    if _is_file(flow) or not at:
        return flow, version
    if version is not None:
        raise InvalidRequest(f"--version does not go with {flow}, which says its own", field="version")
    return name, range_ or None


def _is_file(flow: str) -> bool:
    return flow.endswith((".yaml", ".yml")) or os.sep in flow


def _file(flow: str, version: str | None) -> Path | None:
    """The checked file that the argument means, None when it is a name."""
    from cli import flow_files

    if not _is_file(flow):
        return None
    if not Path(flow).is_file():
        raise NotFound(f"there is no file {flow}")
    if version is not None:
        raise InvalidRequest(f"--version does not go with a file; {flow} says its own", field="version")
    flow_files.load([Path(flow)])
    return Path(flow)


def _target(client: Client, flow: str, file: Path | None) -> dict[str, str]:
    """What to run: the flow of this name, or the version that the file is once it is deployed."""
    from cli import flow_deploy

    if file is None:
        return {"flow_id": flow}
    deployed = flow_deploy.deploy_file(client, file)
    return {"flow_id": deployed["flow_id"], "version": deployed["version"]}


def begin(client: Client, start: dict[str, Any], idempotency_key: str | None = None) -> dict[str, Any]:
    """Starts an execution and returns it."""
    body = {name: value for name, value in start.items() if value not in (None, {}) or name == "input_data"}
    headers = {"Idempotency-Key": idempotency_key} if idempotency_key else {}
    execution: dict[str, Any] = client.post("/api/v1/flows/execute", json=body, headers=headers)
    return execution


def finish(client: Client, execution_id: str, *, form: output.Format, visible: bool, timeout: float | None) -> None:
    """Waits for the end, writes the outcome to stdout, and raises when the execution did not complete."""
    from cli import watch as watching

    console = output.console(stderr=form == "json") if visible else None
    try:
        execution = watching.follow(client, execution_id, console=console, timeout=timeout)
    except watching.StillRunning:
        if form == "json":
            output.write_json(watching.show(client, execution_id))
        raise
    _write_outcome(execution, form, told=visible)
    watching.check_completed(client, execution)


def _write_outcome(execution: dict[str, Any], form: output.Format, *, told: bool) -> None:
    """Writes an ended execution: whole as JSON, or its output, under one line about it unless that was told before."""
    if form == "json":
        output.write_json(execution)
        return
    if not told:
        _write_line(execution)
    if execution.get("output") is not None:
        output.write_value(execution["output"])


def _write_line(execution: dict[str, Any]) -> None:
    from rich.text import Text

    from cli import watch as watching

    status = execution["status"]
    line = Text.assemble(
        (output.glyph(status), output.STYLES.get(status, "")),
        f" {execution['flow_id']} {execution['version']} {status.replace('_', ' ')} in {watching.took(execution)}",
        (f"  {execution['execution_id']}", "dim"),
    )
    output.console().print(line, soft_wrap=True)


def write_started(execution: dict[str, Any], form: output.Format) -> None:
    """Writes an execution that was just asked for, and how to watch it."""
    if form == "json":
        output.write_json(execution)
        return
    execution_id = execution["execution_id"]
    click.echo(f"{execution_id}  {execution['flow_id']} {execution['version']} {execution['status']}")
    click.echo(f"Watch it with `aispine flow watch {execution_id}`.", err=True)
