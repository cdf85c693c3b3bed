"""The Procfile: which processes make up the product and how each is started."""

from __future__ import annotations

import os
import shlex
import shutil
import string
import sys
from collections.abc import Mapping
from importlib import metadata
from pathlib import Path
from typing import Final

from honcho.environ import parse_procfile

from aispine.errors import StackError
from aispine.stack.process import Program

NAME: Final = "Procfile"
_CHECKOUT: Final = Path(__file__).resolve().parents[2]


def find() -> Path:
    """The Procfile of the checkout, or the one that the wheel brought. Raises `StackError` when there is none."""
    beside = _CHECKOUT / NAME
    if beside.is_file():
        return beside
    for file in _shipped():
        if file.name == NAME and file.is_file():
            return file
    raise StackError("the Procfile is missing from this installation", hint="Install aispine again.")


def read(path: Path, env: Mapping[str, str], cwd: Path) -> list[Program]:
    """The programs of a Procfile, in its order; `$NAME` in a line is filled from `env`.

    Raises `StackError` when two processes have the same name, or a line cannot be split into words.
    """
    try:
        lines = parse_procfile(path.read_text("utf-8")).processes
        return [_program(name, shlex.split(line), env, cwd) for name, line in lines.items()]
    except (AssertionError, ValueError) as error:
        raise StackError(f"{path} is not valid: {error}") from error


def environment(base: Mapping[str, str]) -> dict[str, str]:
    """`base` with the programs of this installation first in PATH, so that `aispine` and `celery` are ours."""
    ours = str(Path(sys.executable).parent)
    return {**base, "PATH": os.pathsep.join([ours, base.get("PATH", os.defpath)])}


def _program(name: str, words: list[str], env: Mapping[str, str], cwd: Path) -> Program:
    argv = [string.Template(word).safe_substitute(env) for word in words]
    return Program(
        name=name,
        argv=(*_resolved(argv[0], env), *argv[1:]),
        env={**env, "AISPINE_PROCESS": name},
        cwd=cwd,
    )


def _resolved(name: str, env: Mapping[str, str]) -> tuple[str, ...]:
    found = shutil.which(name, path=env.get("PATH"))
    if found is not None:
        return (found,)
    if name == "aispine":  # Used without being installed: the same command through this interpreter.
        return (sys.executable, "-m", "cli")
    raise StackError(f"the Procfile's program {name} is not installed", hint="Install aispine again.")


def _shipped() -> list[Path]:
    try:
        return [Path(str(file.locate())) for file in metadata.files("aispine") or ()]
    except metadata.PackageNotFoundError:
        return []
