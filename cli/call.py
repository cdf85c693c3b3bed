"""`aispine call`: the audit of calls."""

from __future__ import annotations

from typing import Any, Final

import click

from aispine.audit import KINDS
from cli import listing, output, text

CALLS: Final = "/api/v1/calls"


@click.group()
def call() -> None:
    """List the calls that were made to agents, tools and models.

    \b
    Example:
      aispine call list --callee eddie
    """


@call.command("list")
@click.option("--kind", type=click.Choice(KINDS), help="Only of this kind.")
@click.option("--callee", metavar="NAME", help="Only to this agent, tool or model.")
@click.option("--outcome", metavar="WORD", help="Only with this outcome: `success`, or the code of a failure.")
@click.option("--execution", metavar="ID", help="Only for this execution.")
@click.option("--since", metavar="TIME", help="Only from this moment on, as in 2026-01-31T09:00:00Z.")
@listing.limit_option()
@output.output_option
@click.pass_context
def list_(
    ctx: click.Context,
    kind: str | None,
    callee: str | None,
    outcome: str | None,
    execution: str | None,
    since: str | None,
    limit: int,
    form: output.Format,
) -> None:
    """List calls, the newest first: how long they took, what came of them, their sizes, tokens and cost.

    \b
    Example:
      aispine call list --kind model --outcome rate_limited
      aispine call list --execution 01990e2c-5f3a-7cc4-9d1f-2b6f3a1c0e77 --output json
    """
    params = {"kind": kind, "callee": callee, "outcome": outcome, "execution_id": execution, "since": since}
    found = listing.read(ctx, CALLS, limit, params)
    columns = ("began", "call", "node", "outcome", "took", "sent", "got", "tokens", "cost")
    spare = ("took", "tokens", "cost", "sent", "got")
    listing.write(found, form, columns, _row, empty="No calls. They are here about a second late.", spare=spare)


def _row(row: dict[str, Any]) -> tuple[Any, ...]:
    version = f"@{row['version']}" if row["version"] else ""
    cost = row["cost_usd"]
    return (
        text.local(row["begun_at"]),
        f"{row['kind']} {row['callee']}{version}",
        row["path"] or row["caller"],
        f"{row['outcome']} (kept)" if row["cached"] else row["outcome"],
        text.duration(row["seconds"]),
        str(row["input_bytes"]),
        str(row["output_bytes"]),
        None if row["tokens"] is None else str(row["tokens"]),
        None if cost is None else f"${cost:.6f}",
    )
