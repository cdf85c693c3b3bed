"""`aispine schedule`: flows that start by themselves."""

from __future__ import annotations

from typing import Any, Final

import click

from cli import inputs, listing, output, text

SCHEDULES: Final = "/api/v1/schedules"


@click.group()
def schedule() -> None:
    """List, show, pause, resume, create and delete schedules.

    \b
    Example:
      aispine schedule list
    """


@schedule.command("list")
@click.option("--flow", metavar="NAME", help="Only of this flow.")
@listing.limit_option()
@output.output_option
@click.pass_context
def list_(ctx: click.Context, flow: str | None, limit: int, form: output.Format) -> None:
    """List schedules and when each comes next, in local time.

    \b
    Example:
      aispine schedule list --flow daily_report
    """
    found = listing.read(ctx, SCHEDULES, limit, {"flow_id": flow})
    empty = "No schedules. Give a flow a `schedule`, or try `aispine schedule create --help`."
    columns = ("id", "flow", "when", "time zone", "from", "next")
    listing.write(found, form, columns, _row, empty=empty, spare=("time zone", "from"))


def _row(found: dict[str, Any]) -> tuple[Any, ...]:
    next_ = output.status("paused") if found["paused"] else text.local(found["next_due_at"])
    return found["schedule_id"], found["flow_id"], _when(found), found["timezone"], _FROM[found["origin"]], next_


_FROM: Final = {"flow": "file", "api": "people"}


def _when(found: dict[str, Any]) -> str:
    return str(found["cron"] or f"every {text.duration(found['every'])}")


@schedule.command()
@click.argument("schedule_id")
@output.output_option
@click.pass_context
def show(ctx: click.Context, schedule_id: str, form: output.Format) -> None:
    """Show a schedule: its next times and what the last ones started.

    \b
    Example:
      aispine schedule show 01990e2c-5f3a-7cc4-9d1f-2b6f3a1c0e77
    """
    from cli import client as api

    _write(api.from_context(ctx).get(f"{SCHEDULES}/{schedule_id}"), form)


@schedule.command()
@click.argument("name")
@click.option("--cron", metavar="EXPRESSION", help='Five fields, such as "0 8 * * MON-FRI".')
@click.option("--every", metavar="DURATION", help="In place of --cron: such as 90s, 15m, 1d.")
@click.option("--timezone", metavar="ZONE", help="The IANA time zone that --cron is read in.  [default: UTC]")
@click.option("--input", "input_", metavar="JSON|@FILE|-", default="{}", help="The input of the executions.")
@output.output_option
@click.pass_context
def create(
    ctx: click.Context,
    name: str,
    cron: str | None,
    every: str | None,
    timezone: str | None,
    input_: str,
    form: output.Format,
) -> None:
    """Add a schedule to the flow NAME, beside what its file says.

    \b
    Example:
      aispine schedule create daily_report --cron "0 8 * * *" --timezone Europe/Madrid --input '{"region": "south"}'
    """
    from cli import client as api

    given = {"cron": cron, "every": _seconds(every), "timezone": timezone, "input_data": inputs.object_input(input_)}
    body = {"flow_id": name} | {key: value for key, value in given.items() if value is not None}
    _write(api.from_context(ctx).post(SCHEDULES, json=body), form)


def _seconds(every: str | None) -> float | str | None:
    """A number as one: the API reads texts with a unit."""
    try:
        return None if every is None else float(every)
    except ValueError:
        return every


@schedule.command()
@click.argument("schedule_id")
@output.output_option
@click.pass_context
def pause(ctx: click.Context, schedule_id: str, form: output.Format) -> None:
    """Let a schedule start nothing until it is resumed.

    \b
    Example:
      aispine schedule pause 01990e2c-5f3a-7cc4-9d1f-2b6f3a1c0e77
    """
    from cli import client as api

    _write(api.from_context(ctx).post(f"{SCHEDULES}/{schedule_id}/pause"), form)


@schedule.command()
@click.argument("schedule_id")
@output.output_option
@click.pass_context
def resume(ctx: click.Context, schedule_id: str, form: output.Format) -> None:
    """Let a paused schedule go on; the times that passed meanwhile are over.

    \b
    Example:
      aispine schedule resume 01990e2c-5f3a-7cc4-9d1f-2b6f3a1c0e77
    """
    from cli import client as api

    _write(api.from_context(ctx).post(f"{SCHEDULES}/{schedule_id}/resume"), form)


@schedule.command()
@click.argument("schedule_id")
@click.pass_context
def delete(ctx: click.Context, schedule_id: str) -> None:
    """Delete a schedule. One that a flow file says is there again when the flow is deployed; pause it instead.

    \b
    Example:
      aispine schedule delete 01990e2c-5f3a-7cc4-9d1f-2b6f3a1c0e77
    """
    from cli import client as api

    api.from_context(ctx).delete(f"{SCHEDULES}/{schedule_id}")
    click.echo(f"{schedule_id} deleted")


def _write(found: dict[str, Any], form: output.Format) -> None:
    if form == "json":
        output.write_json(found)
        return
    click.echo(f"{found['flow_id']}  {_when(found)}  {found['timezone']}{'  paused' if found['paused'] else ''}")
    click.echo(f"{found['schedule_id']}\n")
    if not found["paused"]:
        output.write_table(("next",), ((text.local(time),) for time in found["next_times"]), empty="It never comes.")
        click.echo()
    output.write_table(("due", "execution", "error"), map(_firing, found["firings"]), empty="Nothing started yet.")


def _firing(firing: dict[str, Any]) -> tuple[Any, ...]:
    error = firing.get("error")
    return text.local(firing["due_at"]), firing["execution_id"], error and text.one_line(error["message"], 200)
