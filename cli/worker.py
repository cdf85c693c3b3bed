"""`aispine worker`: becomes one Celery process of this product."""

from __future__ import annotations

import os
from typing import NoReturn

import click

from aispine import settings
from aispine.errors import StackError
from aispine.stack import procfile
from aispine.stack import worker as command
from cli import worker_views


@click.group(short_help="Run one of the worker processes, list and drain workers.")
def worker() -> None:
    """Run one of the processes that `aispine up` starts, each in a container of its own say; list and drain workers.

    \b
    Example:
      AISPINE_REDIS_URL=redis://redis/0 aispine worker io --concurrency 200
      aispine worker list
    """


def _pool(name: str, what: str) -> click.Command:
    @click.option("-c", "--concurrency", type=click.IntRange(min=1), help="How many nodes at once.")
    def run(concurrency: int | None) -> None:
        _become(command.worker_command(name, settings.load(), concurrency))

    return click.command(name, help=f"{what}\n\n\b\nExample:\n  aispine worker {name} --concurrency 4")(run)


@click.command("beat")
def beat() -> None:
    """Run the clock: timers, schedules and recovery; several may run.

    \b
    Example:
      aispine worker beat
    """
    _become(command.beat_command())


@click.command("flower")
@click.option(
    "--port", type=click.IntRange(1, 65535), default=command.FLOWER_PORT, show_default=True, help="Where it listens."
)
def flower(port: int) -> None:
    """Run Flower on 127.0.0.1; the workers need AISPINE_TASK_EVENTS=true, its own API FLOWER_BASIC_AUTH=name:password.

    \b
    Example:
      aispine worker flower --port 5556
    """
    command.check_flower(settings.current())
    _become(command.flower_command(port))


def _become(argv: list[str]) -> NoReturn:
    env = command.environment(procfile.environment(os.environ))
    try:
        os.execvpe(argv[0], argv, env)  # noqa: S606 - the process becomes Celery; no shell is wanted.
    except OSError as error:
        raise StackError(f"{argv[0]} cannot be started: {error.strerror}", hint="Install aispine again.") from error


for _command in (
    _pool("engine", "Run the engine's worker: starts, timers, chord bodies and quick nodes."),
    _pool("cpu", "Run the worker of python agents that compute."),
    _pool("io", "Run the worker of HTTP and LLM agents, hundreds at once."),
    beat,
    flower,
    worker_views.list_,
    worker_views.show,
    worker_views.drain,
    worker_views.resume,
):
    worker.add_command(_command)
