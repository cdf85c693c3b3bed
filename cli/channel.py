"""`aispine channel`: messaging channels over which people talk to flows."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final, TypeVar

import click

from aispine.errors import InvalidRequest
from cli import listing, output

CHANNELS: Final = "/api/v1/channels"
_SECRETS: Final = ("access_token", "app_secret", "verify_token", "bot_token", "secret_token")
Function = TypeVar("Function", bound=Callable[..., Any])


@click.group()
def channel() -> None:
    """Add, list, test, link and remove messaging channels.

    \b
    Example:
      aispine channel list
    """


def _secret_options(function: Function) -> Function:
    for name in reversed(_SECRETS):
        flag = f"--{name.replace('_', '-')}"
        about = f"{_ABOUT[name]} `-` asks for it without showing it."
        function = click.option(flag, name, metavar="SECRET", help=about)(function)
    return function


_ABOUT: Final = {
    "access_token": "WhatsApp: the access token of a system user.",
    "app_secret": "WhatsApp: the app's secret, by which webhooks are verified.",
    "verify_token": "WhatsApp: what Meta's form asks for; made up if left out.",
    "bot_token": "Telegram: the bot's token.",
    "secret_token": "Telegram: by which webhooks are verified; made up if left out.",
}


@channel.command()
@click.argument("kind", type=click.Choice(["whatsapp", "telegram", "email", "voice"]))
@click.option("--name", help="What people call it.")
@click.option("--flow", "flow_id", metavar="NAME", help="The flow that a message starts.")
@click.option("--staff", multiple=True, metavar="USER", help="Who may approve over it: a number or user id; repeat.")
@click.option("--phone-number-id", metavar="ID", help="WhatsApp: the id of the phone number.")
@_secret_options
@output.output_option
@click.pass_context
def add(ctx: click.Context, /, kind: str, form: output.Format, **given: Any) -> None:
    """Add a channel and print the webhook's URL to paste into the service's own page.

    \b
    Example:
      aispine channel add whatsapp --phone-number-id 106540352242922 --access-token - --app-secret - --flow kyc
    """
    from cli import client as api

    names = ("phone_number_id", *_SECRETS)
    credentials = {name: _asked(name, given[name]) for name in names if given[name] is not None}
    body = {name: given[name] for name in ("name", "flow_id") if given[name] is not None}
    body |= {"kind": kind, "credentials": credentials, "staff": list(given["staff"])}
    made = api.from_context(ctx).post(CHANNELS, json=body)
    if form == "json":
        output.write_json(made)
        return
    _write(made)


def _asked(name: str, value: str) -> str:
    if value != "-":
        return value
    asked: str = click.prompt(name.replace("_", " "), hide_input=True, err=True)
    return asked


def _write(found: dict[str, Any]) -> None:
    click.echo(f"{found['name']}  {found['channel_id']}")
    click.echo(f"Webhook URL:  {found['webhook_url']}")
    for name, value in (found["made"] or {}).items():
        click.echo(f"{name.replace('_', ' ').capitalize()}: {value}")
    if found["kind"] == "telegram":
        click.echo("Tell Telegram with the Bot API's setWebhook: docs/whatsapp.md shows the call.")


@channel.command("list")
@listing.limit_option()
@output.output_option
@click.pass_context
def list_(ctx: click.Context, limit: int, form: output.Format) -> None:
    """List channels.

    \b
    Example:
      aispine channel list
    """
    found, empty = listing.read(ctx, CHANNELS, limit), "No channels. Try `aispine channel add --help`."
    listing.write(found, form, ("id", "kind", "name", "flow", "staff"), _row, empty=empty)


def _row(row: dict[str, Any]) -> tuple[Any, ...]:
    return row["channel_id"], row["kind"], row["name"], row["flow_id"], len(row["staff"])


@channel.command()
@click.argument("channel_id")
@output.output_option
@click.pass_context
def test(ctx: click.Context, channel_id: str, form: output.Format) -> None:
    """Ask the service about a channel with the channel's own secrets.

    \b
    Example:
      aispine channel test 01990e2c-5f3a-7cc4-9d1f-2b6f3a1c0e77
    """
    from cli import client as api

    found = api.from_context(ctx).post(f"{CHANNELS}/{channel_id}/test")
    if form == "json":
        output.write_json(found)
        return
    told = ", ".join(f"{name} {value}" for name, value in found["answer"].items())
    click.echo(f"{output.glyph('completed')} {channel_id} answers: {told or 'well'}")


@channel.command()
@click.argument("channel_id")
@click.argument("user_id")
@click.argument("fallback")
@click.pass_context
def link(ctx: click.Context, channel_id: str, user_id: str, fallback: str) -> None:
    """Write to FALLBACK, a CHANNEL_ID/USER_ID, when a message to USER_ID is refused for good.

    \b
    Example:
      aispine channel link 01990e2c-5f3a-7cc4-9d1f-2b6f3a1c0e77 34600111222 01990e2d-0000-7000-8000-000000000001/998877
    """
    from cli import client as api

    other, separator, other_user = fallback.partition("/")
    if not separator or not other_user:
        raise InvalidRequest("FALLBACK must be a channel's id, a slash and the person's id there", field="fallback")
    body = {"user_id": user_id, "fallback_channel_id": other, "fallback_user_id": other_user}
    api.from_context(ctx).post(f"{CHANNELS}/{channel_id}/links", json=body)
    click.echo(f"{user_id} is written to as {other_user} when a message is refused")


@channel.command()
@click.argument("channel_id")
@click.pass_context
def remove(ctx: click.Context, channel_id: str) -> None:
    """Remove a channel with what came in over it and what was to go out.

    \b
    Example:
      aispine channel remove 01990e2c-5f3a-7cc4-9d1f-2b6f3a1c0e77
    """
    from cli import client as api

    api.from_context(ctx).delete(f"{CHANNELS}/{channel_id}")
    click.echo(f"{channel_id} removed")
