"""pg_dump and pg_restore: found in the wheel or on PATH, run with the password out of sight."""

from __future__ import annotations

import contextlib
import os
import re
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Final

from sqlalchemy import make_url

from aispine.errors import InvalidRequest, StackError
from aispine.stack import programs

_REVISION: Final = re.compile(r"^COPY public\.alembic_version .*\n(\w+)$", re.MULTILINE)


def dump(url: str, file: Path, server: int) -> None:
    """Writes every row that the login of `url` sees to `file`. Raises `StackError`."""
    options = ("--format=custom", "--data-only", "--enable-row-security", "--schema=public", f"--file={file}")
    _run("pg_dump", server, *options, url=url)


def load(url: str, file: Path, server: int) -> None:
    """Puts the rows into tables that are there and empty, all of them or none. Raises `StackError`."""
    _run("pg_restore", server, "--data-only", "--single-transaction", "--exit-on-error", str(file), url=url)


def revision(file: Path, server: int) -> str:
    """The revision of the tables that a backup is of. Raises `InvalidRequest` when the file is no backup of ours."""
    try:
        said = _run("pg_restore", server, "--data-only", "--table=alembic_version", "--file=-", str(file))
    except StackError as error:
        raise InvalidRequest(f"{file} cannot be read as a backup: {error.message}", field="file") from error
    found = _REVISION.search(said)
    if found is None:
        raise InvalidRequest(f"{file} is no backup of AI Spine", field="file")
    return found[1]


def _run(name: str, server: int, *options: str, url: str | None = None) -> str:
    env = {"PATH": os.environ.get("PATH", os.defpath), "LC_ALL": "C", "PGCONNECT_TIMEOUT": "5"}
    command = [str(_program(name, server)), *options]
    if url is not None:
        parsed = make_url(url).set(drivername="postgresql")
        env |= {"PGPASSWORD": str(parsed.password)} if parsed.password else {}
        command += ["--no-password", f"--dbname={parsed.set(password=None).render_as_string()}"]
    done = subprocess.run(command, capture_output=True, text=True, errors="replace", check=False, env=env)
    if done.returncode != 0:
        lines = [line for line in done.stderr.strip().splitlines() if "error:" in line] or [f"exit {done.returncode}"]
        raise StackError(lines[0])
    return done.stdout


def _program(name: str, server: int) -> Path:
    """One that is at least as new as the server."""
    versions = {path: _version(path) for path in _candidates(name)}
    for path, version in versions.items():
        if version >= server:
            return path
    newest = max(versions.values(), default=None)
    raise StackError(
        f"{name} of version {newest} is older than the server, {server}" if newest else f"there is no {name} here",
        hint=f"Install the client programs of PostgreSQL {server} and have them on PATH.",
    )


def _candidates(name: str) -> Iterator[Path]:
    # There is no wheel for every platform; a PostgreSQL of the user's own has the program too.
    with contextlib.suppress(StackError):
        yield programs.existing(programs.postgres_bin() / name)
    if found := shutil.which(name):
        yield Path(found)


def _version(program: Path) -> int:
    said = subprocess.run([program, "--version"], capture_output=True, text=True, check=False).stdout
    found = re.search(r"\) (\d+)", said)
    return int(found[1]) if found else 0
