"""`aispine worker list|show|drain|resume`: who serves the queues."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final
from urllib.parse import quote

import click

from cli import output, text

if TYPE_CHECKING:
    from rich.text import Text

    from aispine.engine.attendance import WorkerView

WORKERS: Final = "/api/v1/workers"
_STATUSES: Final = {"active": "completed", "draining": "paused", "drained": "paused", "lost": "failed"}
"""The status whose sign and colour each state is shown with."""


@click.command("list")
@output.output_option
@click.pass_context
def list_(ctx: click.Context, form: output.Format) -> None:
    """List the workers and beat, with their slots and their last heartbeat.

    \b
    Example:
      aispine worker list
    """
    from cli import client as api

    found = api.from_context(ctx).get(WORKERS)["data"]
    if form == "json":
        output.write_json(found)
        return
    columns = ("worker", "state", "pid", "queues", "busy", "free", "heartbeat", "up", "version")
    output.write_table(columns, map(_row, found), empty="No worker has been heard of. Start one: aispine up")


def _row(row: dict[str, Any]) -> tuple[Any, ...]:
    slots = (row["busy"], row["free"]) if row["slots"] else (None, None)
    return (
        row["name"],
        _state(row["state"]),
        row["pid"],
        ", ".join(row["queues"]),
        *(None if count is None else str(count) for count in slots),
        f"{text.duration(row['heartbeat_seconds'])} ago",
        text.duration(text.since(row["started_at"])),
        row["version"],
    )


def _state(state: str) -> Text:
    from rich.text import Text

    status = _STATUSES[state]
    return Text(f"{output.glyph(status)} {state}", style=output.STYLES[status])


@click.command()
@click.argument("worker")
@output.output_option
@click.pass_context
def show(ctx: click.Context, worker: str, form: output.Format) -> None:
    """Show a worker, named as the list has it or by its id, with the nodes that it runs.

    \b
    Example:
      aispine worker show io@localhost
    """
    from cli import client as api

    found = api.from_context(ctx).get(f"{WORKERS}/{quote(worker, safe='')}")
    if form == "json":
        output.write_json(found)
        return
    _write_facts(found)
    click.echo()
    rows = [
        (node["execution_id"], node["path"], str(node["attempt"]), text.duration(node["seconds"]))
        for node in found["nodes"]
    ]
    output.write_table(("execution", "node", "attempt", "for"), rows, empty="It runs no node of yours.")


def _write_facts(found: dict[str, Any]) -> None:
    slots = f"{found['busy']} busy, {found['free']} free" if found["slots"] else None
    facts = (
        ("Worker", found["name"]),
        ("Id", found["worker_id"]),
        ("State", _state(found["state"])),
        ("Host", f"{found['host']}, pid {found['pid']}"),
        ("Queues", ", ".join(found["queues"])),
        ("Slots", slots),
        ("Heartbeat", f"{text.duration(found['heartbeat_seconds'])} ago"),
        ("Started", text.local(found["started_at"])),
        ("Version", found["version"]),
    )
    output.write_facts(facts)


@click.command()
@click.argument("worker")
def drain(worker: str) -> None:
    """Let a worker finish what it runs and take nothing more, until it resumes or is stopped.

    Workers belong to the platform, so this needs AISPINE_ENGINE_DATABASE_URL, as on the machine of the stack.

    \b
    Example:
      aispine worker drain io@localhost
    """
    found = _ask(worker, drain=True)
    click.echo(f"{found.name} drains: {found.busy} of its {found.slots} slots are busy")


@click.command()
@click.argument("worker")
def resume(worker: str) -> None:
    """Let a drained worker take messages again. Needs what `drain` needs.

    \b
    Example:
      aispine worker resume io@localhost
    """
    click.echo(f"{_ask(worker, drain=False).name} takes messages again")


def _ask(worker: str, *, drain: bool) -> WorkerView:
    from aispine import settings
    from aispine.engine import attendance
    from aispine.store import database

    with database.engine_store(1).session(None) as session:
        return attendance.drain(session, worker, settings.current().heartbeat, wanted=drain)
