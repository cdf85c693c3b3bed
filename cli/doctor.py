"""`aispine doctor`: each part of the stack, how it is, and what to do."""

from __future__ import annotations

from dataclasses import asdict, replace
from typing import TYPE_CHECKING, Final

import click

from aispine import settings
from aispine.stack.doctor import Check, examine, examine_remote
from cli import options
from cli.output import STYLES, Format, glyph, output_option, write_json, write_table

if TYPE_CHECKING:
    from rich.text import Text

_STATUSES: Final = {"ok": "completed", "failed": "failed", "skipped": "skipped"}
"""The status whose sign and colour each state is shown with."""


@click.command(short_help="Check each part of the stack and say what to do.")
@output_option
@click.pass_context
def doctor(ctx: click.Context, form: Format) -> None:
    """Check each part of the stack and say what to do; exits with 1 when one is not well.

    Of a stack on another machine, named by --url or AISPINE_URL, only what its API shows is checked.

    \b
    Example:
      aispine doctor --output json
    """
    checks = _checks(options.of(ctx))
    if form == "json":
        write_json([asdict(check) for check in checks])
    else:
        _show(checks)
    ctx.exit(1 if any(check.state == "failed" for check in checks) else 0)


def _checks(given: options.Options) -> list[Check]:
    named = settings.load(stack=False)
    url, key = given.url or named.url, given.api_key or named.api_key
    servers = (named.database_url, named.engine_database_url, named.redis_url, named.broker_url)
    if url is not None and not any(servers):
        return list(examine_remote(replace(named, url=url, api_key=key)))
    return list(examine(settings.load(), embedded=named.database_url is None))


def _show(checks: list[Check]) -> None:
    rows = [(_sign(check), check.name, check.detail, check.remedy or "") for check in checks]
    write_table(["", "part", "state", "what to do"], rows, empty="")


def _sign(check: Check) -> Text:
    from rich.text import Text

    status = _STATUSES[check.state]
    return Text(glyph(status), style=STYLES[status])
