"""What can be done with flow files alone, without a stack."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import click

from aispine.errors import InvalidFlow, InvalidRequest
from cli import output

if TYPE_CHECKING:
    from aispine.flow.model import Flow
    from aispine.flow.problem import Problem

flow_file: Final = click.Path(exists=True, dir_okay=False, path_type=Path)


@dataclass(frozen=True, kw_only=True, slots=True)
class Checked:
    """A file and what the language says about it; `flow` is None for a test file, and where there are problems."""

    file: Path
    flow: Flow | None
    problems: tuple[Problem, ...]
    test: bool = False

    @property
    def summary(self) -> str:
        """What is in the file, in words."""
        if self.flow is None:
            return "a test of a flow" if self.test else "not valid"
        return f"{self.flow.flow_id} {self.flow.version}, {count(len(self.flow.nodes), 'node')}"

    def as_dict(self) -> dict[str, Any]:
        return {
            "file": str(self.file),
            "valid": not self.problems,
            "kind": "test" if self.test else "flow",
            "flow_id": self.flow.flow_id if self.flow else None,
            "version": self.flow.version if self.flow else None,
            "problems": [problem.as_dict() for problem in self.problems],
        }


def check(file: Path) -> Checked:
    """Checks one file, which may be a test of a flow."""
    from aispine import settings
    from aispine.flow import rehearsal, validation
    from aispine.flow.tree import Limits

    current = settings.current()
    text, limits = read(file), Limits(max_bytes=current.max_flow_bytes, max_iterations=current.max_iterations)
    if validation.is_test_file(file.name):
        _, problems = rehearsal.check(text, str(file), limits)
        return Checked(file=file, flow=None, problems=problems, test=True)
    flow, problems = validation.check(text, str(file), limits)
    return Checked(file=file, flow=flow, problems=problems)


def load(files: Iterable[Path]) -> list[Flow]:
    """The flows of the files. Raises `InvalidFlow` with the problems of all of them, and refuses test files."""
    found = list(files)
    refuse_tests(found)
    checked = [check(file) for file in found]
    raise_problems(checked)
    return [found.flow for found in checked if found.flow]


def refuse_tests(files: Iterable[Path]) -> None:
    """Raises `InvalidRequest` when one of the files is a test of a flow."""
    from aispine.flow.validation import is_test_file

    for file in files:
        if is_test_file(file.name):
            hint = f"`aispine flow validate {file}` checks it."
            raise InvalidRequest(f"{file} is a test of a flow, not a flow", hint=hint)


def without_tests(files: Sequence[Path]) -> Sequence[Path]:
    """The files without the test files among them; all of them when there is nothing else."""
    from aispine.flow.validation import is_test_file

    return [file for file in files if not is_test_file(file.name)] or files


def raise_problems(checked: Sequence[Checked]) -> None:
    """Raises `InvalidFlow` with the problems of all files, when there are any."""
    problems = [problem.as_dict() for found in checked for problem in found.problems]
    if problems:
        files = sum(1 for found in checked if found.problems)
        raise InvalidFlow(f"{count(len(problems), 'problem')} in {count(files, 'file')}", errors=problems)


def read(file: Path) -> bytes:
    """The bytes of a file. Raises `InvalidRequest` when it cannot be read."""
    try:
        return file.read_bytes()
    except OSError as error:
        raise InvalidRequest(f"{file} cannot be read: {error.strerror}") from error


def count(number: int, noun: str) -> str:
    """The number with its noun: `1 file`, `2 files`."""
    return f"{number} {noun}" if number == 1 else f"{number} {noun}s"


@click.command()
@click.argument("files", nargs=-1, required=True, type=flow_file)
@output.output_option
@click.pass_context
def validate(ctx: click.Context, files: tuple[Path, ...], form: output.Format) -> None:
    """Report every problem of FILES, with line and column, and exit with 2 when there is one.

    Works offline. A file named *.test.yaml is checked as the test of a flow.

    \b
    Example:
      aispine flow validate flows/*.yaml
    """
    checked = [check(file) for file in files]
    if form == "json":
        _write_json(ctx, checked)
        return
    for found in checked:
        if not found.problems:
            click.echo(f"{found.file}: valid ({found.summary})")
    raise_problems(checked)


def _write_json(ctx: click.Context, checked: Sequence[Checked]) -> None:
    valid = not any(found.problems for found in checked)
    output.write_json({"valid": valid, "files": [found.as_dict() for found in checked]})
    ctx.exit(0 if valid else InvalidFlow.exit_code)


@click.command("compile")
@click.argument("file", type=flow_file)
@output.output_option
def compile_(file: Path, form: output.Format) -> None:
    """Show the canvas that FILE becomes, as a tree of chains, groups and chords.

    Works offline.

    \b
    Example:
      aispine flow compile flows/parallel_research.yaml
    """
    from cli import canvas

    (flow,) = load([file])
    canvas.write(flow, form)
