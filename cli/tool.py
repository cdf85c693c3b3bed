"""`aispine tool`: calls over HTTP that flows and models can make."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final, TypeVar

import click

from cli import inputs, listing, output, text
from cli.circuit import reset_option
from cli.circuit import show as show_circuit

TOOLS: Final = "/api/v1/tools"
Function = TypeVar("Function", bound=Callable[..., Any])


@click.group()
def tool() -> None:
    """Create, list, show, change, run and delete tools.

    \b
    Example:
      aispine tool create order_status --method GET --endpoint 'https://shop.example.com/orders/{order_id}'
      aispine tool run order_status --input '{"order_id": "A-17"}'
    """


_OPTIONS: Final = (
    click.option("--name", help="A name for people."),
    click.option("--description", help="What it does; a model chooses by it."),
    click.option("--method", type=click.Choice(["GET", "POST", "PUT", "PATCH", "DELETE"]), help="[default: POST]"),
    click.option(
        "--contract", type=click.Choice(["http", "execute"]), help="execute for tools of the older product. [http]"
    ),
    click.option("--header", "headers", multiple=True, metavar="NAME=VALUE", help="A header that every call carries."),
    click.option("--input-schema", metavar="JSON|@FILE", help="JSON Schema that the input must fit."),
    click.option("--output-schema", metavar="JSON|@FILE", help="JSON Schema that the answer must fit."),
    click.option(
        "--auth-config",
        metavar="JSON|@FILE|-",
        help='Who calls, such as {"type": "bearer", "token": "..."}; none, bearer, header, basic or oauth2.',
    ),
    click.option("--timeout", type=click.FloatRange(min=0, min_open=True), help="Seconds for one call."),
)


def _registration(function: Function) -> Function:
    for option in reversed(_OPTIONS):
        function = option(function)
    return function


def _values(given: dict[str, Any]) -> dict[str, Any]:
    """The options that were given, as the API takes them."""
    values = {name: value for name, value in given.items() if value not in (None, ())}
    for name in ("input_schema", "output_schema", "auth_config"):
        if name in values:
            values[name] = inputs.object_input(values[name], flag=f"--{name.replace('_', '-')}")
    if "headers" in values:
        values["headers"] = inputs.pairs(values["headers"], flag="--header")
    return values


@tool.command()
@click.argument("tool_id", metavar="NAME")
@click.option("--endpoint", required=True, metavar="URL", help="What is called; {name} in it is a member of the input.")
@_registration
@output.output_option
@click.pass_context
def create(ctx: click.Context, /, tool_id: str, form: output.Format, **given: Any) -> None:
    """Register the tool NAME.

    \b
    Example:
      aispine tool create order_status --method GET --endpoint 'https://shop.example.com/orders/{order_id}'
      aispine tool create send_email --endpoint https://mail.example.com/send --auth-config @auth.json
    """
    from cli import client as api

    found = api.from_context(ctx).post(TOOLS, json={"tool_id": tool_id, **_values(given)})
    _write(found, form)


@tool.command()
@click.argument("tool_id", metavar="NAME")
@click.option("--endpoint", metavar="URL", help="What is called; {name} in it is a member of the input.")
@_registration
@output.output_option
@click.pass_context
def update(ctx: click.Context, /, tool_id: str, form: output.Format, **given: Any) -> None:
    """Change what is registered about the tool NAME; what is left out stays.

    \b
    Example:
      aispine tool update send_email --timeout 10
    """
    from cli import client as api

    values = _values(given)
    if not values:
        raise click.UsageError("Say what to change.")
    _write(api.from_context(ctx).put(f"{TOOLS}/{tool_id}", json=values), form)


@tool.command("list")
@listing.limit_option(100)
@output.output_option
@click.pass_context
def list_(ctx: click.Context, limit: int, form: output.Format) -> None:
    """List the tools.

    \b
    Example:
      aispine tool list
    """
    found, empty = listing.read(ctx, TOOLS, limit), "No tools. Try `aispine tool create --help`."
    listing.write(found, form, ("tool", "method", "endpoint", "auth", "changed", "description"), _row, empty=empty)


def _row(found: dict[str, Any]) -> tuple[Any, ...]:
    method = "execute" if found["contract"] == "execute" else found["method"]
    changed = text.local(found["updated_at"])
    return found["tool_id"], method, found["endpoint"], found["auth_config"]["type"], changed, found["description"]


@tool.command()
@click.argument("tool_id", metavar="NAME")
@output.output_option
@click.pass_context
def show(ctx: click.Context, tool_id: str, form: output.Format) -> None:
    """Show the tool NAME; what is secret is never shown.

    \b
    Example:
      aispine tool show send_email
    """
    from cli import client as api

    _write(api.from_context(ctx).get(f"{TOOLS}/{tool_id}"), form)


@tool.command()
@click.argument("tool_id", metavar="NAME")
@click.option("--input", "input_", metavar="JSON|@FILE|-", default="{}", help="The input.")
@click.option("--timeout", type=click.FloatRange(min=0, max=60, min_open=True), help="Seconds for the call.")
@output.output_option
@click.pass_context
def run(ctx: click.Context, tool_id: str, input_: str, timeout: float | None, form: output.Format) -> None:
    """Call the tool NAME once, outside of any flow. Exits 1 when it fails.

    \b
    Example:
      aispine tool run order_status --input '{"order_id": "A-17"}'
    """
    from cli import client as api

    body = {"input_data": inputs.json_input(input_)} | ({"timeout": timeout} if timeout else {})
    found = api.from_context(ctx).post(f"{TOOLS}/{tool_id}/execute", json=body)
    if form == "json":
        output.write_json(found)
    elif found["error"]:
        click.echo(f"{found['error']['code']}: {found['error']['message']}", err=True)
    else:
        output.write_value(found["output"])
    if found["error"]:
        ctx.exit(1)


@tool.command()
@click.argument("tool_id", metavar="NAME")
@click.pass_context
def delete(ctx: click.Context, tool_id: str) -> None:
    """Delete the tool NAME, unless an execution may still call it.

    \b
    Example:
      aispine tool delete send_email
    """
    from cli import client as api

    api.from_context(ctx).delete(f"{TOOLS}/{tool_id}")
    click.echo(f"{tool_id} deleted")


@tool.command()
@click.argument("tool_id", metavar="NAME")
@reset_option
@output.output_option
@click.pass_context
def circuit(ctx: click.Context, tool_id: str, reset: bool, form: output.Format) -> None:
    """Show whether calls of the tool NAME go through, or are kept back since it failed again and again.

    \b
    Example:
      aispine tool circuit order_status
      aispine tool circuit order_status --reset
    """
    show_circuit(ctx, f"{TOOLS}/{tool_id}/circuit", form, reset=reset)


def _write(found: dict[str, Any], form: output.Format) -> None:
    if form == "json":
        output.write_json(found)
        return
    click.echo(f"{found['tool_id']}  {'execute' if found['contract'] == 'execute' else found['method']}")
    auth = found["auth_config"]["type"] + (" (secret kept)" if found["has_secret"] else "")
    schemas = [name for name in ("input_schema", "output_schema") if found[name] is not None]
    output.write_facts(
        (
            ("endpoint", found["endpoint"]),
            ("description", found["description"]),
            ("auth", auth),
            ("schemas", ", ".join(schemas)),
            ("timeout", found["timeout"] and f"{found['timeout']:g} s"),
            ("changed", text.local(found["updated_at"])),
        )
    )
