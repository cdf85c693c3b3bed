from __future__ import annotations

from collections.abc import Callable

import click
import pytest
from click.testing import CliRunner, Result

from aispine import errors
from cli.lazy import Command
from cli.main import Shell
from cli.options import Options


def run(body: Callable[[], object], *flags: str) -> Result:
    @click.group(cls=Shell, table={})
    @click.option("--debug", is_flag=True)
    @click.pass_context
    def shell(ctx: click.Context, debug: bool) -> None:
        ctx.obj = Options(debug=debug)

    shell.add_command(click.command("it")(body))
    shell.get_command = lambda ctx, name: shell.commands.get(name)  # type: ignore[method-assign]
    return CliRunner().invoke(shell, [*flags, "it"])


def raising(error: BaseException) -> Callable[[], None]:
    def body() -> None:
        raise error

    return body


@pytest.mark.parametrize(
    ("error", "code"),
    [
        (errors.NotFound("there is no flow `x`"), 1),
        (errors.InvalidRequest("not that"), 2),
        (errors.InvalidFlow("1 problem"), 2),
        (errors.Unavailable("away"), 1),
    ],
)
def test_an_error_is_one_line_and_its_class_says_the_exit_code(error: errors.AISpineError, code: int) -> None:
    result = run(raising(error))
    assert (result.exit_code, result.stdout, result.stderr) == (code, "", f"Error: {error.message}\n")


def test_a_hint_is_a_second_line() -> None:
    assert run(raising(errors.NotFound("no", hint="look"))).stderr == "Error: no\nHint: look\n"


def test_problems_stand_before_the_error_with_their_places() -> None:
    problems = [
        {"file": "f.yaml", "line": 3, "column": 5, "message": "unknown key `typ`", "hint": "did you mean `type`?"},
        {"file": "f.yaml", "line": None, "column": None, "message": "the file is empty", "hint": None},
        {"path": "input.amount", "message": "is missing"},
        {"message": "whole"},
    ]
    assert run(raising(errors.InvalidFlow("4 problems", errors=problems))).stderr.splitlines() == [
        "f.yaml:3:5: unknown key `typ` (did you mean `type`?)",
        "f.yaml: the file is empty",
        "input.amount: is missing",
        "whole",
        "Error: 4 problems",
    ]


def test_a_problem_that_is_the_whole_error_is_said_once() -> None:
    problems = [{"path": "input.name", "message": "3 is not of type 'string'"}]
    error = errors.InvalidInput("input.name: 3 is not of type 'string'", errors=problems)
    assert run(raising(error)).stderr == "Error: input.name: 3 is not of type 'string'\n"


def test_the_unexpected_is_one_line_that_says_how_to_see_more() -> None:
    result = run(raising(ZeroDivisionError("by zero\nand more")))
    assert result.exit_code == 1
    assert result.stderr.splitlines()[0] == "Error: unexpected ZeroDivisionError: by zero"
    assert "--debug" in result.stderr
    assert "Traceback" not in result.output


def test_debug_lets_the_unexpected_through() -> None:
    assert isinstance(run(raising(ZeroDivisionError()), "--debug").exception, ZeroDivisionError)


def test_ctrl_c_exits_with_130() -> None:
    result = run(raising(KeyboardInterrupt()))
    assert (result.exit_code, result.stderr.strip()) == (130, "Interrupted.")


def test_a_lazy_command_is_imported_when_it_is_used() -> None:
    assert Command("cli.version:version", "").load().name == "version"
