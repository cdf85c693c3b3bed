"""`aispine flow test`: flows with answers in place of agents and people, offline and in no time."""

from __future__ import annotations

import difflib
import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import click

from aispine.errors import InvalidFlow, InvalidRequest
from cli import flow_files, output

if TYPE_CHECKING:
    from aispine.engine.verdict import Difference
    from aispine.flow.model import Flow
    from aispine.flow.rehearsal import Case, Rehearsals

PATTERNS: Final = ("*.test.yaml", "*.test.yml")


@dataclass(frozen=True, kw_only=True, slots=True)
class Result:
    """What became of one case. `reason` says why it could not be run at all."""

    file: Path
    case: str
    differences: tuple[Difference, ...] = ()
    reason: str | None = None

    @property
    def passed(self) -> bool:
        return not self.differences and self.reason is None

    def as_dict(self) -> dict[str, Any]:
        found = [{"what": each.what, "expected": each.expected, "actual": each.actual} for each in self.differences]
        return {
            "file": str(self.file),
            "case": self.case,
            "passed": self.passed,
            "reason": self.reason,
            "differences": found,
        }


@dataclass(frozen=True, kw_only=True, slots=True)
class Loaded:
    """A test file that is valid, with its flow."""

    file: Path
    flow: Flow
    test: Rehearsals


@click.command("test")
@click.argument("files", nargs=-1, required=True, type=click.Path(exists=True, path_type=Path))
@output.output_option
@click.pass_context
def test(ctx: click.Context, files: tuple[Path, ...], form: output.Format) -> None:
    """Run the cases of FILES and exit with 1 when one does not come to what it expects.

    A file is a test file (NAME.test.yaml), the flow file beside one, or a folder with test files at any depth. Agents
    are replaced by the answers of the case, and time is not real: waits and retries take none. Works offline.

    \b
    Example:
      aispine flow test flows
    """
    results = [result for loaded in load(find(files)) for result in run(loaded)]
    passed = all(each.passed for each in results)
    if form == "json":
        output.write_json({"passed": passed, "cases": [each.as_dict() for each in results]})
    else:
        _write(results)
    ctx.exit(0 if passed else 1)


def find(given: Iterable[Path]) -> list[Path]:
    """The test files that the arguments mean, each once. Raises `InvalidRequest` for one that means none."""
    return list(dict.fromkeys(file for path in given for file in _meant(path)))


def _meant(path: Path) -> list[Path]:
    from aispine.flow.validation import is_test_file

    if path.is_dir():
        found = sorted(file for pattern in PATTERNS for file in path.rglob(pattern))
        if not found:
            raise InvalidRequest(f"there is no test file in {path}", hint="Test files are named NAME.test.yaml.")
        return found
    beside = path if is_test_file(path.name) else path.with_suffix(f".test{path.suffix}")
    if not beside.is_file():
        raise InvalidRequest(f"{path} has no test file beside it", hint=f"Write {beside}.")
    return [beside]


def load(files: Iterable[Path]) -> list[Loaded]:
    """The test files with their flows. Raises `InvalidFlow` with the problems of all of them."""
    loaded: list[Loaded] = []
    problems: list[Mapping[str, Any]] = []
    for file in files:
        try:
            loaded.append(_load(file))
        except InvalidFlow as error:
            problems.extend(error.errors)
    if problems:
        message = f"{flow_files.count(len(problems), 'problem')} in the test files and their flows"
        raise InvalidFlow(message, errors=problems)
    return loaded


def _load(file: Path) -> Loaded:
    from aispine.flow import rehearsal

    shown, problems = rehearsal.check(flow_files.read(file), str(file))
    if shown is None:
        raise InvalidFlow("the test file is not valid", errors=[each.as_dict() for each in problems])
    place = file.parent / shown.flow
    if not place.is_file():
        raise InvalidRequest(f"{file}: there is no flow file {place}", hint="`flow` is seen from the test file.")
    (flow,) = flow_files.load([place])
    if unknown := rehearsal.misfits(shown, flow, str(file)):
        raise InvalidFlow("the test does not fit its flow", errors=[each.as_dict() for each in unknown])
    return Loaded(file=file, flow=flow, test=shown)


def run(loaded: Loaded) -> Iterator[Result]:
    """Runs the cases of one file."""
    for case in loaded.test.cases:
        yield _run_case(loaded, case)


def _run_case(loaded: Loaded, case: Case) -> Result:
    from aispine.engine import verdict
    from aispine.engine.rehearsal import RehearsalError, rehearse

    try:
        rehearsed = rehearse(loaded.flow, case)
    except RehearsalError as error:
        return Result(file=loaded.file, case=case.name, reason=str(error))
    return Result(file=loaded.file, case=case.name, differences=verdict.differences(case, rehearsed))


def _write(results: Sequence[Result]) -> None:
    file = None
    for result in results:
        if result.file != file:
            file = result.file
            click.echo(file)
        click.echo(f"  {_sign(result)} {result.case}")
        for line in _lines(result):
            click.echo(f"      {line}")
    failed = sum(not each.passed for each in results)
    click.echo(f"{len(results) - failed} passed, {failed} failed")


def _sign(result: Result) -> str:
    status = "completed" if result.passed else "failed"
    return click.style(output.glyph(status), fg="green" if result.passed else "red")


def _lines(result: Result) -> Iterator[str]:
    if result.reason is not None:
        yield result.reason
    for difference in result.differences:
        yield f"{difference.what}:"
        yield from (f"  {line}" for line in _compared(difference))


def _compared(difference: Difference) -> Iterator[str]:
    """What is expected after `-` and what came after `+`, line by line."""
    expected, actual = _written(difference.expected), _written(difference.actual)
    for line in difflib.ndiff(expected, actual):
        if not line.startswith("?"):
            yield click.style(line, fg=_COLOURS.get(line[0]))


_COLOURS: Final = {"-": "red", "+": "green"}


def _written(value: Any) -> list[str]:
    return json.dumps(value, indent=2, ensure_ascii=False, sort_keys=True).splitlines()
