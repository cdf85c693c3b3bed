"""A new agent's folder, made from templates: complete, with tests that pass."""

from __future__ import annotations

from collections.abc import Iterator
from importlib import resources
from importlib.resources.abc import Traversable
from pathlib import Path
from string import Template
from typing import Final

from aispine.agent.definition import Kind
from aispine.agent.folder import built_in
from aispine.agent.manifest import check
from aispine.errors import Conflict, InvalidRequest

SUFFIX: Final = ".tmpl"


def create(agent_id: str, parent: Path, kind: Kind = "python") -> tuple[Path, ...]:
    """Makes the folder `agent_id` in `parent` and returns the paths of its files.

    Raises `InvalidRequest` on a name that cannot be an id, and `Conflict` when the folder is there and not empty or
    the id is that of a built-in agent, which the new one would hide from every flow.
    """
    folder = parent / agent_id
    _check_id(agent_id)
    if (built_in() / agent_id).is_dir():
        raise Conflict(f"there is a built-in agent `{agent_id}`", field="name", hint="Choose another name.")
    if folder.exists() and (not folder.is_dir() or any(folder.iterdir())):
        raise Conflict(f"{folder} exists and is not empty", hint="Choose another name, or another --directory.")
    words = {"agent_id": agent_id, "title": agent_id.replace("_", " ").replace("-", " ").capitalize(), "folder": folder}
    files = [(folder / name, Template(text).substitute(words)) for name, text in _templates(kind)]
    for path, text in files:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, "utf-8")
    return tuple(path for path, _ in files)


def _check_id(agent_id: str) -> None:
    problems = [problem for problem in check({"agent_id": agent_id}, kind="python") if problem["field"] == "agent_id"]
    if problems:
        raise InvalidRequest(f"the name {problems[0]['message']}", field="name", hint="For example: invoice_reader.")


def _templates(kind: Kind) -> Iterator[tuple[str, str]]:
    yield from _files(resources.files("aispine.agent") / "templates" / kind, "")


def _files(folder: Traversable, prefix: str) -> Iterator[tuple[str, str]]:
    for entry in sorted(folder.iterdir(), key=lambda entry: entry.name):
        if entry.is_dir():
            yield from _files(entry, f"{prefix}{entry.name}/")
        elif entry.name.endswith(SUFFIX):
            yield prefix + entry.name.removesuffix(SUFFIX), entry.read_text("utf-8")
