"""What the agents of an execution wrote."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, Any, Final

import click

from cli import output, text
from cli.errors import Interrupted
from cli.watch import asking

if TYPE_CHECKING:
    from cli.client import Client

Read = Callable[[str | None], list[dict[str, Any]]]
_ENDS_ATTEMPT: Final = frozenset({"node.completed", "node.failed", "node.retrying", "node.cancelled", "node.lost"})


@click.command()
@click.argument("execution_id")
@click.option("--node", metavar="PATH", help="Only this node, by its id or its path.")
@click.option("-f", "--follow", is_flag=True, help="Go on until the execution ends.")
@output.sensitive_option
@output.output_option
@click.pass_context
def logs(
    ctx: click.Context, execution_id: str, node: str | None, follow: bool, sensitive: bool, form: output.Format
) -> None:
    """Show what the agents of an execution printed and logged, attempt by attempt.

    \b
    Example:
      aispine flow logs 01990e2c-5f3a-7cc4-9d1f-2b6f3a1c0e77 --node eddie
      aispine flow logs 01990e2c-5f3a-7cc4-9d1f-2b6f3a1c0e77 --follow
    """
    from cli import client as api

    client = api.from_context(ctx)

    def read(path: str | None) -> list[dict[str, Any]]:
        return fetch(client, execution_id, path, sensitive=sensitive)

    entries = _followed(client, execution_id, node, read) if follow else iter(read(node))
    if form == "json":
        output.write_json(list(entries))
    elif not _write(entries):
        click.echo("The agents wrote nothing.", err=True)


def fetch(client: Client, execution_id: str, node: str | None, *, sensitive: bool = False) -> list[dict[str, Any]]:
    """One entry per attempt that wrote something."""
    params = asking(sensitive) | ({} if node is None else {"path" if _is_path(node) else "node": node})
    found: list[dict[str, Any]] = client.get(f"/api/v1/executions/{execution_id}/logs", params=params)["data"]
    return found


def _is_path(node: str) -> bool:
    """True for what no node id can be: `pages[17]/ocr`, `poll[2]`."""
    return "/" in node or "[" in node


def _followed(client: Client, execution_id: str, node: str | None, read: Read) -> Iterator[dict[str, Any]]:
    """Entries as attempts end, each once."""
    seen: set[tuple[str, int]] = set()
    try:
        for event in client.stream(f"/api/v1/executions/{execution_id}/stream"):
            if event.event in _ENDS_ATTEMPT and _about(event.data, node):
                yield from _unseen(read(event.data["path"]), seen)
    except KeyboardInterrupt as error:
        raise Interrupted from error
    yield from _unseen(read(node), seen)


def _about(event: dict[str, Any], node: str | None) -> bool:
    return node is None or node in (event["path"], event["path"].rpartition("/")[2])


def _unseen(entries: list[dict[str, Any]], seen: set[tuple[str, int]]) -> Iterator[dict[str, Any]]:
    for entry in entries:
        key = (entry["path"], entry["attempt"])
        if key not in seen:
            seen.add(key)
            yield entry


def _write(entries: Iterator[dict[str, Any]]) -> bool:
    """Writes the entries, each line after its node and attempt; false when there were none."""
    from rich.text import Text

    console, wrote = output.console(), False
    for entry in entries:
        wrote = True
        tries = f"#{entry['attempt']}" if entry["attempt"] > 1 else ""
        for line in text.printable(entry["text"]).splitlines():
            console.print(Text.assemble((f"{entry['path']}{tries}", "cyan"), f"  {line}"), soft_wrap=True)
    return wrote
