"""What people do to executions."""

from __future__ import annotations

import json
from typing import Any
from urllib.parse import quote

import click

from cli import inputs, output
from cli.executions import EXECUTIONS


@click.command()
@click.argument("execution_id")
@click.option("--reason", metavar="TEXT", help="Why; shown with the execution.")
@click.pass_context
def cancel(ctx: click.Context, execution_id: str, reason: str | None) -> None:
    """Cancel an execution, whatever its nodes are doing.

    It has ended at once, and nothing more starts. A call over HTTP is closed at the worker's next heartbeat; a python
    agent that is at work runs on to its end, and what it answers is dropped.

    \b
    Example:
      aispine execution cancel 01990e2c-5f3a-7cc4-9d1f-2b6f3a1c0e77 --reason "wrong input"
    """
    _post(ctx, execution_id, "cancel", {"reason": reason} if reason else {})
    click.echo(f"{execution_id} cancelled")


@click.command()
@click.argument("execution_id")
@click.pass_context
def pause(ctx: click.Context, execution_id: str) -> None:
    """Start nothing more in an execution and stop its timers, until it is resumed; what runs may finish.

    \b
    Example:
      aispine execution pause 01990e2c-5f3a-7cc4-9d1f-2b6f3a1c0e77
    """
    _post(ctx, execution_id, "pause", None)
    click.echo(f"{execution_id} paused")


@click.command()
@click.argument("execution_id")
@click.pass_context
def resume(ctx: click.Context, execution_id: str) -> None:
    """Let a paused execution go on.

    \b
    Example:
      aispine execution resume 01990e2c-5f3a-7cc4-9d1f-2b6f3a1c0e77
    """
    found = _post(ctx, execution_id, "resume", None)
    click.echo(f"{execution_id} {found['status']}")


@click.command()
@click.argument("execution_id")
@click.pass_context
def retry(ctx: click.Context, execution_id: str) -> None:
    """Open an execution again that failed, was cancelled or timed out; what succeeded in it is kept.

    \b
    Example:
      aispine execution retry 01990e2c-5f3a-7cc4-9d1f-2b6f3a1c0e77
    """
    found = _post(ctx, execution_id, "retry", None)
    click.echo(f"{execution_id} {found['status']}")


@click.command()
@click.argument("execution_id")
@click.option("--from", "from_node", metavar="NODE", help="Begin at this node of the flow; keep what came before it.")
@click.option("-i", "--input", "input_", metavar="JSON|@FILE|-", help="Another input; the same unless given.")
@click.option("--idempotency-key", metavar="KEY", help="The same key again answers with the same execution.")
@output.output_option
@click.pass_context
def rerun(
    ctx: click.Context,
    execution_id: str,
    from_node: str | None,
    input_: str | None,
    idempotency_key: str | None,
    form: output.Format,
) -> None:
    """Run an execution once more as a new one, with the same version of the flow and the same agents.

    \b
    Example:
      aispine execution rerun 01990e2c-5f3a-7cc4-9d1f-2b6f3a1c0e77 --from eddie
    """
    from cli import flow_run

    body = {
        **({"from_node": from_node} if from_node else {}),
        **({"input_data": inputs.object_input(input_)} if input_ is not None else {}),
    }
    headers = {"Idempotency-Key": idempotency_key} if idempotency_key else {}
    flow_run.write_started(_post(ctx, execution_id, "rerun", body, headers=headers), form)


@click.command()
@click.argument("execution_id")
@click.argument("name")
@click.option("--data", metavar="JSON|@FILE|-", default="null", help="What the signal brings. [default: null]")
@click.pass_context
def signal(ctx: click.Context, execution_id: str, name: str, data: str) -> None:
    """Send a signal: the node that has waited for it longest takes it, else it is kept for the next one that will.

    \b
    Example:
      aispine execution signal 01990e2c-5f3a-7cc4-9d1f-2b6f3a1c0e77 payment_received --data '{"amount": 120}'
    """
    from cli import client as api

    payload = json.dumps(inputs.json_input(data, flag="--data"))
    headers = {"Content-Type": "application/json"}
    path = f"{EXECUTIONS}/{quote(execution_id, safe='')}/signals/{quote(name, safe='')}"
    api.from_context(ctx).post(path, data=payload, headers=headers)
    click.echo(f"{execution_id} has the signal {name}")


def _post(ctx: click.Context, execution_id: str, what: str, body: Any, **request: Any) -> dict[str, Any]:
    """Asks for it, and returns the execution as it is then."""
    from cli import client as api

    found: dict[str, Any] = api.from_context(ctx).post(
        f"{EXECUTIONS}/{quote(execution_id, safe='')}/{what}", json=body, **request
    )
    return found
