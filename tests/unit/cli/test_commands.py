"""What holds for every command."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import click
import pytest
from click.testing import CliRunner

from cli.main import COMMANDS, main
from cli.reference import reference

DOCS = Path(__file__).parents[3] / "docs" / "cli.md"


def commands(command: click.Command = main, path: tuple[str, ...] = ()) -> Iterator[tuple[str, ...]]:
    yield path
    if isinstance(command, click.Group):
        context = click.Context(command)
        for name in command.list_commands(context):
            child = command.get_command(context, name)
            assert child is not None
            yield from commands(child, (*path, name))


@pytest.mark.parametrize("path", list(commands()), ids=" ".join)
def test_every_command_has_help_with_an_example(path: tuple[str, ...]) -> None:
    result = CliRunner().invoke(main, [*path, "--help"])
    assert result.exit_code == 0, result.output
    assert "Example:" in result.output
    assert f"aispine {' '.join(path)}".strip() in result.output


@pytest.mark.parametrize("path", list(commands()), ids=" ".join)
def test_every_option_says_what_it_does(path: tuple[str, ...]) -> None:
    command: click.Command | None = main
    for name in path:
        assert isinstance(command, click.Group)
        command = command.get_command(click.Context(command), name)
    assert command is not None
    assert [param.name for param in command.params if isinstance(param, click.Option) and not param.help] == []


def test_the_documented_commands_are_those_that_are_there() -> None:
    assert DOCS.read_text("utf-8") == reference(), "run: python -m cli.reference > docs/cli.md"


def test_the_overview_imports_no_command() -> None:
    modules = {command.target.partition(":")[0] for command in COMMANDS.values()}
    heavy = {"requests", "rich", "celery", "flask", "sqlalchemy", "marshmallow", "yaml"}
    code = (
        "import sys; from cli.main import main\n"
        "try: main(['--help'])\n"
        f"finally: print(sorted(set(sys.modules) & {modules | heavy!r}))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.splitlines()[-1] == "[]"


@pytest.mark.parametrize("arguments", [["nope"], ["--nope"], ["flow"], ["flow", "nope"], ["flow", "validate"]])
def test_what_is_not_understood_exits_with_2_and_no_traceback(arguments: list[str]) -> None:
    result = CliRunner().invoke(main, arguments)
    assert result.exit_code == 2
    assert "Usage:" in result.stderr
    assert "Traceback" not in result.output


def test_the_version_is_printed_without_a_stack(monkeypatch: pytest.MonkeyPatch) -> None:
    result = CliRunner().invoke(main, ["--version"])
    assert result.exit_code == 0
    assert result.output.startswith("aispine, version ")


@pytest.mark.parametrize(
    ("arguments", "meant"), [(["flow", "vaildate"], "validate"), (["floww"], "flow"), (["agent", "crate"], "create")]
)
def test_a_mistyped_command_is_guessed(arguments: list[str], meant: str) -> None:
    assert f"Did you mean `{meant}`?" in CliRunner().invoke(main, arguments).stderr
