"""Commands that list: up to so many rows, read page after page, as a table or as JSON."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any, TypeVar

import click

from cli import output

Function = TypeVar("Function", bound=Callable[..., Any])
Row = dict[str, Any]


def limit_option(default: int = 50) -> Callable[[Function], Function]:
    """The option `--limit`."""
    most = click.IntRange(1, 10_000)
    return click.option("--limit", type=most, default=default, show_default=True, help="The most to list.")


def read(ctx: click.Context, path: str, limit: int, params: Mapping[str, Any] | None = None) -> list[Row]:
    """Up to `limit` rows of a list of the API."""
    from cli import client as api

    return list(api.pages(api.from_context(ctx), path, params=params or {}, limit=limit))


def write(
    found: Sequence[Row],
    form: output.Format,
    columns: Sequence[str],
    row: Callable[[Row], Iterable[Any]],
    *,
    empty: str,
    spare: Sequence[str] = (),
) -> None:
    """Writes rows as they are, or as a table in which `row` makes the cells; see `output.write_table`."""
    if form == "json":
        output.write_json(found)
    else:
        output.write_table(columns, [tuple(row(each)) for each in found], empty=empty, spare=spare)
