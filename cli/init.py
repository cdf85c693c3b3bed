"""`aispine init`: a project to start from."""

from __future__ import annotations

from collections.abc import Iterator
from importlib import resources
from importlib.resources.abc import Traversable
from pathlib import Path
from typing import Final

import click

from aispine.errors import Conflict, InvalidRequest

_SUFFIX: Final = ".tmpl"
_HIDDEN: Final = {"gitignore": ".gitignore"}
"""A wheel takes no hidden files along, so the template has a plain name."""


@click.command()
@click.argument("directory", metavar="[DIR]", default=".", type=click.Path(file_okay=False, path_type=Path))
def init(directory: Path) -> None:
    """Create a project in DIR: settings, a flow with an input for it, and an agent. Nothing is overwritten.

    \b
    Example:
      aispine init hello && cd hello
    """
    for path in create(directory):
        click.echo(f"created {path}")
    go = "" if directory.resolve() == Path.cwd() else f"cd {directory} && "
    click.echo(f"\nTry next:\n  {go}aispine flow validate flows/*.yaml\n  aispine up")
    click.echo("  aispine flow run flows/hello.yaml --input @flows/hello.input.json --watch   (in another terminal)")


def create(directory: Path) -> tuple[Path, ...]:
    """Writes the project's files and returns their paths.

    Raises `Conflict` naming the files that are there already; then nothing is written.
    """
    files = [(directory / name, text) for name, text in _templates(resources.files("cli") / "templates" / "project")]
    taken = [str(path) for path, _ in files if path.exists()]
    if taken:
        more = f" (and {len(taken) - 1} more)" if len(taken) > 1 else ""
        raise Conflict(f"{taken[0]} exists already{more}", hint="Choose another directory: aispine init DIR.")
    try:
        for path, text in files:
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text, "utf-8")
    except OSError as error:
        raise InvalidRequest(f"{error.filename} cannot be written: {error.strerror}", field="directory") from error
    return tuple(path for path, _ in files)


def _templates(folder: Traversable, prefix: str = "") -> Iterator[tuple[str, str]]:
    for entry in sorted(folder.iterdir(), key=lambda entry: entry.name):
        if entry.is_dir():
            yield from _templates(entry, f"{prefix}{entry.name}/")
        elif entry.name.endswith(_SUFFIX):
            name = entry.name.removesuffix(_SUFFIX)
            yield prefix + _HIDDEN.get(name, name), entry.read_text("utf-8")
