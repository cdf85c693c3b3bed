"""The user that PostgreSQL runs as when we are root, which it refuses to be."""

from __future__ import annotations

import os
import pwd
import subprocess
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from aispine.errors import StackError

CANDIDATES: Final = ("aispine", "nobody")
"""A user of our own where the administrator made one, else the one that every system has."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Account:
    name: str
    uid: int
    gid: int

    def may(self, *test: str | Path) -> bool:
        """Asks the kernel, as that user, whether the arguments of test(1) hold."""
        command = ["test", *map(str, test)]
        try:
            done = subprocess.run(command, cwd="/", user=self.uid, group=self.gid, extra_groups=[], check=False)
        except OSError as error:
            raise StackError(
                f"PostgreSQL does not run as root, and we may not become the user {self.name}: {error.strerror}",
                hint="Run as a normal user, or set AISPINE_DATABASE_URL.",
            ) from error
        return done.returncode == 0

    def own(self, path: Path) -> None:
        """Gives a folder that we made to this user."""
        os.chown(path, self.uid, self.gid)


def unprivileged() -> Account | None:
    """The account to run PostgreSQL as: None, that is our own, unless we are root."""
    if os.geteuid() != 0:
        return None
    for name in CANDIDATES:
        try:
            entry = pwd.getpwnam(name)
        except KeyError:
            continue
        return Account(name=name, uid=entry.pw_uid, gid=entry.pw_gid)
    raise StackError(
        "PostgreSQL does not run as root and there is no user to run it as",
        hint="Make a system user named aispine, run `aispine up` as a normal user, or set AISPINE_DATABASE_URL.",
    )


def owner_of(path: Path) -> Account:
    """The account that owns the path."""
    status = path.stat()
    return Account(name=path.owner(), uid=status.st_uid, gid=status.st_gid)
