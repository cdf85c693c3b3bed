"""What holds for every document: its links lead somewhere and what it tells people to type is there."""

from __future__ import annotations

import re
import shlex
from collections.abc import Iterator
from pathlib import Path

import click
import pytest

from aispine.settings import Settings
from cli.main import main
from tests.unit.docs.generated import ROOT
from tests.unit.docs.markdown import anchor, blocks, documents, links


def typed() -> list[tuple[Path, str]]:
    """Every `aispine` command line that a document shows; docs/cli.md comes out of the commands themselves."""
    return [
        (path, command)
        for path in documents()
        if path.name != "cli.md"
        for language in ("sh", "console", "yaml")
        for text in blocks(path, language)
        for command in commands(text)
    ]


def commands(text: str) -> Iterator[str]:
    for line in text.replace("\\\n", " ").splitlines():
        yield from re.findall(r"(?:^|\s)(aispine [a-z-][^#&;|>]*)", line.partition(" #")[0])


def resolve(words: list[str]) -> tuple[click.Command, click.Context, list[str]]:
    """The command that the words name, and the words that are left."""
    command: click.Command = main
    context = click.Context(command, info_name="aispine")
    while isinstance(command, click.Group) and words and not words[0].startswith("-"):
        child = command.get_command(context, words[0])
        assert child is not None, f"there is no command {words[0]!r}"
        command, words = child, words[1:]
        context = click.Context(command, info_name=command.name, parent=context)
    return command, context, words


def options(command: click.Command, context: click.Context) -> set[str]:
    return {name for param in command.get_params(context) for name in (*param.opts, *param.secondary_opts)}


def known(command: click.Command, context: click.Context, words: list[str]) -> bool:
    used = {word.partition("=")[0] for word in words if re.fullmatch(r"--?[a-z][a-z-]*(=.*)?", word)}
    return used <= options(command, context)


def test_the_documents_show_commands() -> None:
    assert len(typed()) > 20


@pytest.mark.parametrize(("path", "line"), typed(), ids=lambda value: value if isinstance(value, str) else value.name)
def test_every_command_that_a_document_shows_is_there_with_its_options(path: Path, line: str) -> None:
    command, context, rest = resolve(shlex.split(line)[1:])
    assert known(command, context, rest), f"{path.name}: {line}"
    assert rest or not isinstance(command, click.Group), f"{path.name}: {line} names no command"


@pytest.mark.parametrize("path", documents(), ids=lambda path: path.name)
def test_every_link_leads_somewhere(path: Path) -> None:
    for target in links(path):
        file, _, part = target.partition("#")
        found = (path.parent / file).resolve() if file else path
        assert found.exists(), target
        if part:
            headings = re.findall(r"^#+ (.*)$", found.read_text("utf-8"), re.MULTILINE)
            assert part in map(anchor, headings), target


@pytest.mark.parametrize("path", documents(), ids=lambda path: path.name)
def test_every_variable_that_a_document_names_is_a_setting(path: Path) -> None:
    named = set(re.findall(r"\bAISPINE_[A-Z_]*[A-Z]\b", path.read_text("utf-8")))
    assert named <= {f"AISPINE_{name.upper()}" for name in Settings.__dataclass_fields__}


@pytest.mark.parametrize("path", documents(), ids=lambda path: path.name)
def test_every_make_target_that_a_document_names_is_there(path: Path) -> None:
    targets = set(re.findall(r"^([a-z]+):", (ROOT / "Makefile").read_text("utf-8"), re.MULTILINE))
    assert set(re.findall(r"(?:`|^)make ([a-z]+)", path.read_text("utf-8"), re.MULTILINE)) <= targets
