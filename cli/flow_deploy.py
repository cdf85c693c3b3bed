"""Deploying flow files: all of them are checked before the first one is deployed."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import click

from aispine.errors import AISpineError, InvalidFlow, VersionConflict
from cli import flow_files, output

if TYPE_CHECKING:
    from cli.client import Client

FLOWS: Final = "/api/v1/flows"
_YAML: Final = {"Content-Type": "application/yaml"}


@dataclass(frozen=True, kw_only=True, slots=True)
class Outcome:
    """What came of a file: `deployed`, `unchanged`, `failed` or `not tried`."""

    file: Path
    result: str
    version: Mapping[str, Any] = field(default_factory=dict)
    """The version that is there now, as the API shows it."""

    def __str__(self) -> str:
        name = f"{self.version['flow_id']} {self.version['version']} " if self.version else ""
        return f"{self.file}: {name}{self.result}"

    def as_dict(self) -> dict[str, Any]:
        return {"file": str(self.file), "result": self.result, **self.version}


@click.command()
@click.argument("files", nargs=-1, required=True, type=flow_files.flow_file)
@output.output_option
@click.pass_context
def deploy(ctx: click.Context, files: tuple[Path, ...], form: output.Format) -> None:
    """Deploy the flows of FILES, all or none: every file is checked here and by the API before the first is deployed.

    The same version with the same content again changes nothing. Test files beside the flows are passed over. Exits
    with 2 when a file has problems, with 1 when its version exists with other content, and says of each file what came
    of it.

    \b
    Example:
      aispine flow deploy flows/*.yaml
    """
    from cli import client as api

    flows = flow_files.without_tests(files)
    flow_files.refuse_tests(flows)
    problems = {file: offline_problems(file) for file in flows}
    if not any(problems.values()):
        client = api.from_context(ctx)
        problems = {file: online_problems(client, file) for file in flows}
    if any(problems.values()):
        _write([_undeployed(file, found) for file, found in problems.items()], form)
        raise refusal(problems)
    _deploy_all(client, flows, form)


def offline_problems(file: Path) -> list[dict[str, Any]]:
    """What the language has against a file."""
    return [problem.as_dict() for problem in flow_files.check(file).problems]


def online_problems(client: Client, file: Path) -> list[dict[str, Any]]:
    """What the API has against a file: agents that are not there, a version that exists with other content."""
    try:
        found = client.post(f"{FLOWS}/validate", data=flow_files.read(file), params={"file": file.name}, headers=_YAML)
    except AISpineError as error:
        raise of_file(error, file) from error
    return [{**problem, "file": str(file)} for problem in found["problems"]]


def refusal(problems: Mapping[Path, Sequence[Mapping[str, Any]]]) -> AISpineError:
    """The error of files that were not deployed: a conflict when nothing else is wrong with any of them."""
    listed = [problem for found in problems.values() for problem in found]
    files = sum(1 for found in problems.values() if found)
    kind = VersionConflict if all(problem["code"] == VersionConflict.code for problem in listed) else InvalidFlow
    message = f"{flow_files.count(len(listed), 'problem')} in {flow_files.count(files, 'file')}; nothing was deployed"
    return kind(message, errors=listed)


def _undeployed(file: Path, problems: Sequence[Any]) -> Outcome:
    return Outcome(file=file, result="failed" if problems else "not tried")


def _deploy_all(client: Client, files: Sequence[Path], form: output.Format) -> None:
    """Deploys one file after the other; what fails now all the same is said with what was done before."""
    outcomes = [Outcome(file=file, result="not tried") for file in files]
    try:
        for number, file in enumerate(files):
            outcomes[number] = Outcome(file=file, result="failed")
            outcomes[number] = deployed(client, file)
    finally:
        _write(outcomes, form)


def deployed(client: Client, file: Path) -> Outcome:
    """Deploys one file and says what came of it."""
    version = deploy_file(client, file)
    return Outcome(file=file, result="deployed" if version["created"] else "unchanged", version=version)


def _write(outcomes: Sequence[Outcome], form: output.Format) -> None:
    if form == "json":
        output.write_json([outcome.as_dict() for outcome in outcomes])
        return
    for outcome in outcomes:
        click.echo(str(outcome))
        for warning in outcome.version.get("warnings", ()):
            click.echo(f"{outcome.file}:{warning['line']}: warning: {warning['message']}", err=True)


def deploy_file(client: Client, file: Path) -> dict[str, Any]:
    """Deploys one file: the version, with `created` false when it was there."""
    try:
        version: dict[str, Any] = client.post(
            FLOWS, data=flow_files.read(file), params={"file": file.name}, headers=_YAML
        )
    except AISpineError as error:
        raise of_file(error, file) from error
    return version


def of_file(error: AISpineError, file: Path) -> AISpineError:
    """The error with the file's whole path, which the API has no use for; problems of the file speak for themselves."""
    problems = [{**problem, "file": str(file)} if problem.get("file") else problem for problem in error.errors]
    if any(problem.get("file") for problem in problems):
        return type(error)(f"{flow_files.count(len(problems), 'problem')} in {file}", errors=problems)
    return type(error)(f"{file}: {error.message}", hint=error.hint, field=error.field, errors=problems)
