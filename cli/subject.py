"""`aispine subject`: what is kept of people who wrote over channels."""

from __future__ import annotations

from typing import Any, Final
from urllib.parse import quote

import click

from cli import listing, output, text

SUBJECTS: Final = "/api/v1/subjects"
ERASURES: Final = "/api/v1/erasures"


@click.group()
def subject() -> None:
    """Show and erase what is kept of a person. CHANNEL_USER is KIND:USER, or a user id where that is one person.

    \b
    Example:
      aispine subject show whatsapp:34600111222
    """


@subject.command()
@click.argument("channel_user")
@output.output_option
@click.pass_context
def show(ctx: click.Context, channel_user: str, form: output.Format) -> None:
    """Show what is kept of a person.

    \b
    Example:
      aispine subject show whatsapp:34600111222
    """
    from cli import client as api

    found = api.from_context(ctx).get(_place(channel_user))
    if form == "json":
        output.write_json(found)
        return
    output.write_table(("kind", "user", "name", "wrote"), map(_contact, found["contacts"]), empty="No contacts.")
    click.echo(_kept(found))


def _contact(found: dict[str, Any]) -> tuple[Any, ...]:
    return found["kind"], found["user_id"], found["display_name"], text.local(found["wrote_at"])


def _kept(found: dict[str, Any]) -> str:
    return f"{found['messages']} messages, {len(found['executions'])} executions, {len(found['files'])} files"


@subject.command()
@click.argument("channel_user")
@click.option("--yes", is_flag=True, help="Do not ask.")
@output.output_option
@click.pass_context
def erase(ctx: click.Context, channel_user: str, yes: bool, form: output.Format) -> None:
    """Erase a person: files, messages, questions and values, in executions and wherever they were copied to.

    Whole executions go, running ones too. What stays is a record that it was done, which names nobody.

    \b
    Example:
      aispine subject erase whatsapp:34600111222
    """
    from cli import client as api

    client = api.from_context(ctx)
    if not yes:
        found = client.get(_place(channel_user))
        click.confirm(f"Erase {channel_user} for good: {_kept(found)}?", abort=True, err=True)
    erased = client.delete(_place(channel_user))
    if form == "json":
        output.write_json(erased)
        return
    click.echo(f"{channel_user} erased: {_gone(erased['counts'])}")
    click.echo(f"Record: {erased['erasure_id']}")


def _gone(counts: dict[str, int]) -> str:
    return ", ".join(f"{number} {name.replace('_', ' ')}" for name, number in counts.items() if number) or "nothing"


def _place(channel_user: str) -> str:
    return f"{SUBJECTS}/{quote(channel_user, safe='')}"


@subject.command()
@click.option("--of", "channel_user", metavar="CHANNEL_USER", help="Only of this person.")
@listing.limit_option()
@output.output_option
@click.pass_context
def erasures(ctx: click.Context, channel_user: str | None, limit: int, form: output.Format) -> None:
    """List what was erased, when and by which key.

    \b
    Example:
      aispine subject erasures --of whatsapp:34600111222
    """
    found = listing.read(ctx, ERASURES, limit, {"subject": channel_user})
    listing.write(found, form, ("id", "erased", "by", "what"), _row, empty="Nobody was erased.")


def _row(row: dict[str, Any]) -> tuple[Any, ...]:
    return row["erasure_id"], text.local(row["erased_at"]), row["erased_by"], _gone(row["counts"])
