"""`aispine up`: the whole product on this machine."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import click

from aispine import settings
from aispine.errors import NotFound
from aispine.stack.up import up as start
from cli import samples
from cli.text import short_path

if TYPE_CHECKING:
    from aispine.stack.banner import Suggestion

_SAMPLE = "credit_analysis"


@click.command(short_help="Start the whole stack on this machine.")
@click.option("--host", help="The address to listen on.  [default: 127.0.0.1]")
@click.option("--port", type=click.IntRange(1, 65535), help="The port of the API.  [default: 8700]")
@click.option("--flower", is_flag=True, help="Start Flower too and turn task events on.")
@click.option(
    "-f",
    "--procfile",
    type=click.Path(exists=True, dir_okay=False, resolve_path=True, path_type=Path),
    help="Another Procfile than the product's own.",
)
def up(host: str | None, port: int | None, flower: bool, procfile: Path | None) -> None:
    """Start PostgreSQL, Redis, the API and the workers, and keep them running until Ctrl-C.

    \b
    Example:
      aispine up --port 9000
    """
    loaded = settings.load(stack=False)
    start(
        replace(loaded, host=host or loaded.host, port=port or loaded.port),
        flower=flower,
        say=click.echo,
        path=procfile,
        suggestions=tuple(suggestions(settings.project_folder())),
    )


def suggestions(project: Path | None) -> Iterator[Suggestion]:
    """What to try on a stack that has just started: of a project its own flow, elsewhere a sample."""
    if project is None:
        yield from _a_sample()
    else:
        yield from _of_a_project(project)
    yield "aispine doctor", "a check of every part"


def _of_a_project(project: Path) -> Iterator[Suggestion]:
    where = "" if project == Path.cwd() else f"cd {project} && "
    first = project / "flows" / "hello.yaml"
    given = " --input @flows/hello.input.json" if first.with_suffix(".input.json").is_file() else ""
    flow = "flows/hello.yaml" if first.is_file() else "flows/FLOW.yaml"
    yield f"{where}aispine flow run {flow}{given} --watch", "a flow of this project, in its folder"
    yield f"{where}aispine agent create NAME", "an agent of your own"


def _a_sample() -> Iterator[Suggestion]:
    try:
        sample = samples.sample(_SAMPLE)
    except NotFound:
        return
    flow, given = short_path(sample.flow), short_path(sample.input)
    yield f"aispine flow run {flow} --input @{given} --watch", "a sample flow"
    yield "aispine init hello", "a project of your own; it brings a stack of its own"
