"""The flags that every command has because `aispine` itself takes them."""

from __future__ import annotations

from dataclasses import dataclass

import click


@dataclass(frozen=True, kw_only=True, slots=True)
class Options:
    """What stood before the command: `aispine --url URL --api-key KEY --debug COMMAND`."""

    url: str | None = None
    api_key: str | None = None
    debug: bool = False


def of(ctx: click.Context) -> Options:
    """The options of the command line that `ctx` belongs to."""
    return ctx.find_object(Options) or Options()
