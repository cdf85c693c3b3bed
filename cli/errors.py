"""The one place where an error becomes lines on stderr and an exit code: 1 failed, 2 bad input, 130 interrupted."""

from __future__ import annotations

import errno
import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import IO, Any, Final

import click

from aispine.errors import AISpineError

INTERRUPTED: Final = 130
"""What a shell expects of a command that Ctrl-C ended."""


class Failure(click.ClickException):
    """An error of ours in the form that click shows and exits with."""

    exit_code: int  # type: ignore[misc]  # click declares a class variable, and reads it from the instance.

    def __init__(self, error: AISpineError) -> None:
        super().__init__(error.message)
        self.error = error
        self.exit_code = error.exit_code

    def show(self, file: IO[Any] | None = None) -> None:
        for line in lines(self.error):
            click.echo(_coloured(line), file=file, err=file is None)


class Interrupted(click.ClickException):
    """Ctrl-C; the message says what goes on without the command, when something does."""

    exit_code = INTERRUPTED

    def __init__(self, message: str = "Interrupted.") -> None:
        super().__init__(message)

    def show(self, file: IO[Any] | None = None) -> None:
        click.echo(f"\n{self.message}", file=file, err=file is None)


@contextmanager
def guarded(*, debug: bool) -> Iterator[None]:
    """Turns whatever a command raises into something that click shows; `debug` lets the unexpected through."""
    try:
        yield
    except AISpineError as error:
        raise Failure(error) from error
    except KeyboardInterrupt as error:
        raise Interrupted from error
    except (click.ClickException, click.Abort, click.exceptions.Exit):
        raise
    except Exception as error:
        if debug or _broken_pipe(error):
            raise
        raise Failure(_unexpected(error)) from error


def lines(error: AISpineError) -> Iterator[str]:
    """The lines of an error: its problems one a line, `Error: ...`, and `Hint: ...` when there is one."""
    yield from (line for line in map(problem_line, error.errors) if line != error.message)
    yield f"Error: {error.message}"
    if error.hint:
        yield f"Hint: {error.hint}"


def _coloured(line: str) -> str:
    """The line with its first word coloured, which click takes back where there is no terminal."""
    word, colon, rest = line.partition(": ")
    if word not in _COLOURS or os.environ.get("NO_COLOR"):
        return line
    return click.style(word + colon, fg=_COLOURS[word], bold=True) + rest


_COLOURS: Final = {"Error": "red", "Hint": "cyan"}


def problem_line(problem: Mapping[str, Any]) -> str:
    """A problem as `file:line:column: message (hint)`, the form that editors jump to."""
    hint = f" ({problem['hint']})" if problem.get("hint") else ""
    return f"{_place(problem)}{problem.get('message', 'not valid')}{hint}"


def _place(problem: Mapping[str, Any]) -> str:
    if not problem.get("file"):
        where = problem.get("field") or problem.get("path")
        return f"{where}: " if where else ""
    numbers = [str(problem[key]) for key in ("line", "column") if problem.get(key)]
    return ":".join([str(problem["file"]), *numbers]) + ": "


def _unexpected(error: Exception) -> AISpineError:
    text = str(error).strip().partition("\n")[0]
    summary = f"{type(error).__name__}: {text}" if text else type(error).__name__
    return AISpineError(
        f"unexpected {summary}", hint="Run it again as `aispine --debug ...` to see where this comes from."
    )


def _broken_pipe(error: Exception) -> bool:
    return isinstance(error, OSError) and error.errno == errno.EPIPE
