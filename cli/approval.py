"""`aispine approval`: what waits for a person, and answering it."""

from __future__ import annotations

import shlex
from typing import Any, Final
from urllib.parse import quote

import click

from aispine.errors import InvalidRequest
from cli import inputs, listing, output, text

APPROVALS: Final = "/api/v1/approvals"
_OWN: Final = frozenset({"path", "approved", "comment"})


@click.group()
def approval() -> None:
    """List what waits for a person, and answer it.

    \b
    Example:
      aispine approval list
    """


@approval.command("list")
@click.option("--execution", metavar="ID", help="Only those of this execution.")
@listing.limit_option()
@output.output_option
@click.pass_context
def list_(ctx: click.Context, execution: str | None, limit: int, form: output.Format) -> None:
    """List the approvals that wait for an answer, the longest first.

    \b
    Example:
      aispine approval list
    """
    found = listing.read(ctx, APPROVALS, limit, {"execution_id": execution})
    columns = ("execution", "path", "flow", "question", "shown", "waits", "until")
    spare = ("question", "waits", "flow", "until", "shown")
    listing.write(found, form, columns, _row, empty="Nothing waits for an answer.", spare=spare)


def _row(row: dict[str, Any]) -> tuple[Any, ...]:
    shown = text.one_line(row["input"], 80) if row.get("input") is not None else None
    question = text.one_line(row.get("name") or row.get("description") or "", 60)
    waits = text.duration(text.since(row["waiting_since"]))
    return row["execution_id"], row["path"], row["flow_id"], question, shown, waits, text.local(row.get("due_at"))


@approval.command()
@click.argument("execution_id")
@click.argument("path")
@click.option("--approve/--reject", "approved", default=None, help="Yes or no; one of them is needed.")
@click.option("--data", metavar="JSON|@FILE|-", default="{}", help="The fields of its form. [default: {}]")
@click.option("--comment", metavar="TEXT", help="What you say about it.")
@click.pass_context
def answer(
    ctx: click.Context, execution_id: str, path: str, approved: bool | None, data: str, comment: str | None
) -> None:
    """Answer an approval by its path, as `aispine approval list` shows it.

    \b
    Example:
      aispine approval answer 01990e2c-5f3a-7cc4-9d1f-2b6f3a1c0e77 ask_staff --approve --data '{"room": 12}'
    """
    from cli import client as api

    if approved is None:
        hint = f"aispine approval answer {execution_id} {shlex.quote(path)} --approve"
        raise InvalidRequest("an answer is --approve or --reject", field="approved", hint=hint)
    fields = inputs.object_input(data, flag="--data")
    taken = sorted(_OWN & fields.keys())
    if taken:
        raise InvalidRequest(f"--data: `{taken[0]}` has a flag or argument of its own", field=taken[0])
    said = {"comment": comment} if comment is not None else {}
    body = {**fields, **said, "path": path, "approved": approved}
    api.from_context(ctx).post(f"/api/v1/executions/{quote(execution_id, safe='')}/approvals", json=body)
    click.echo(f"{execution_id} {path} {'approved' if approved else 'rejected'}")
