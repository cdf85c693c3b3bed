"""`aispine file`: files that flows refer to."""

from __future__ import annotations

import mimetypes
import sys
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import IO, Any, Final

import click

from aispine.errors import Conflict, InvalidRequest
from cli import listing, output, text

FILES: Final = "/api/v1/files"


@click.group()
def file() -> None:
    """Put, get, list and delete files. An input of a flow carries the reference that `put` prints.

    \b
    Example:
      aispine file put passport.png
    """


@file.command()
@click.argument("path", type=click.Path(path_type=Path, allow_dash=True))
@click.option("--name", help="Another name than the path's.")
@click.option("--type", "media_type", metavar="MEDIA/TYPE", help="What it is, where its name does not tell.")
@click.option("--expires", metavar="DURATION", help="When it goes: such as 15m, 1d.")
@output.output_option
@click.pass_context
def put(
    ctx: click.Context,
    path: Path,
    name: str | None,
    media_type: str | None,
    expires: str | None,
    form: output.Format,
) -> None:
    """Send the file PATH, or stdin for `-`.

    \b
    Example:
      aispine file put passport.png --expires 1d
      aispine flow run check_in --input "{\\"document\\": $(aispine file put passport.png -o json)}"
    """
    from cli import client as api

    params = {"name": name or (None if path == _STDIN else path.name), "expires_at": _expires_at(expires)}
    kind = media_type or mimetypes.guess_type(path.name)[0] or "application/octet-stream"
    with _opened(path) as content:
        found = api.from_context(ctx).post(FILES, data=content, params=params, headers={"Content-Type": kind})
    if form == "json":
        output.write_json(found)
    else:
        click.echo(f"{found['file_id']}  {found['name']}  {found['media_type']}  {text.size(found['size'])}")


_STDIN: Final = Path("-")


def _opened(path: Path) -> IO[bytes]:
    if path == _STDIN:
        return sys.stdin.buffer
    try:
        return path.open("rb")
    except OSError as error:
        raise InvalidRequest(f"{path} cannot be read: {error.strerror}", field="path") from error


def _expires_at(duration: str | None) -> str | None:
    if duration is None:
        return None
    from aispine.flow.duration import HINT, parse_duration

    try:
        seconds = parse_duration(duration)
    except ValueError as error:
        raise InvalidRequest(f"--expires: {error}", field="expires", hint=HINT) from error
    return (datetime.now(UTC) + timedelta(seconds=seconds)).isoformat()


@file.command()
@click.argument("file_id")
@click.option("--to", type=click.Path(path_type=Path, allow_dash=True), help="Where to write it, or - for stdout.")
@click.option("--force", is_flag=True, help="Overwrite a file that is there.")
@click.pass_context
def get(ctx: click.Context, file_id: str, to: Path | None, force: bool) -> None:
    """Download a file under its own name.

    \b
    Example:
      aispine file get 01990e2c-5f3a-7cc4-9d1f-2b6f3a1c0e77 --to passport.png
    """
    from cli import client as api

    client = api.from_context(ctx)
    found = client.get(f"{FILES}/{file_id}")
    content = client.content(f"{FILES}/{file_id}/content")
    if to == _STDIN:
        for chunk in content:
            sys.stdout.buffer.write(chunk)
        return
    target = to or Path(Path(found["name"]).name)
    if target.exists() and not force:
        raise Conflict(f"{target} is there already", hint="Name another with --to, or overwrite it with --force.")
    with target.open("wb") as written:
        for chunk in content:
            written.write(chunk)
    click.echo(f"{text.short_path(target)}  {found['media_type']}  {text.size(found['size'])}")


@file.command("list")
@listing.limit_option()
@output.output_option
@click.pass_context
def list_(ctx: click.Context, limit: int, form: output.Format) -> None:
    """List files in the order in which they came.

    \b
    Example:
      aispine file list
    """
    listing.write(
        listing.read(ctx, FILES, limit),
        form,
        ("id", "name", "type", "size", "created", "expires"),
        _row,
        empty="No files. Send one with `aispine file put PATH`.",
        spare=("type", "size", "expires", "created"),
    )


def _row(found: dict[str, Any]) -> tuple[Any, ...]:
    times = text.local(found["created_at"]), text.local(found["expires_at"])
    return found["file_id"], found["name"], found["media_type"], text.size(found["size"]), *times


@file.command()
@click.argument("file_id")
@click.pass_context
def delete(ctx: click.Context, file_id: str) -> None:
    """Delete a file.

    \b
    Example:
      aispine file delete 01990e2c-5f3a-7cc4-9d1f-2b6f3a1c0e77
    """
    from cli import client as api

    api.from_context(ctx).delete(f"{FILES}/{file_id}")
    click.echo(f"{file_id} deleted")
