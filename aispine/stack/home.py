"""The home: the folder that holds everything of one local stack."""

from __future__ import annotations

import base64
import contextlib
import fcntl
import json
import os
import secrets
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final

from aispine.errors import StackError

KEYS_FILE: Final = "encryption.keys"
API_KEY_FILE: Final = "api.key"
LOCK_FILE: Final = "up.lock"


def prepare(home: Path) -> Path:
    """Makes the folder; one that exists keeps its mode.

    For root it can be entered by others, since PostgreSQL must run as another user and its cluster is in here.
    Raises `StackError` when the folder cannot be written.
    """
    try:
        make_folder(home, 0o711 if os.geteuid() == 0 else 0o700)
        with tempfile.TemporaryFile(dir=home):
            pass
    except OSError as error:
        raise StackError(
            f"AISPINE_HOME {home} cannot be written: {error.strerror}",
            field="home",
            hint="Set AISPINE_HOME to a folder of yours.",
        ) from error
    return home


def make_folder(path: Path, mode: int) -> None:
    """Makes the folder with exactly this mode, whatever the umask; one that exists is left as it is."""
    if path.is_dir():
        return
    path.parent.mkdir(parents=True, exist_ok=True)
    path.mkdir()
    path.chmod(mode)


def write_private(path: Path, text: str) -> None:
    """Replaces the file in one step; only its owner can read it at any time."""
    descriptor, temporary = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")
    try:
        with os.fdopen(descriptor, "w", encoding="utf-8") as file:
            file.write(text)
            file.flush()
            os.fsync(file.fileno())
        Path(temporary).replace(path)
    except BaseException:
        Path(temporary).unlink(missing_ok=True)
        raise


def read_text(path: Path) -> str | None:
    """The file's text without surrounding blanks, None where there is none."""
    try:
        return path.read_text("utf-8").strip() or None
    except FileNotFoundError:
        return None


def encryption_keys(home: Path) -> str:
    """The keys of this home, separated by commas; makes a first Fernet key where there is none."""
    path = home / KEYS_FILE
    keys = read_text(path)
    if keys is None:
        keys = base64.urlsafe_b64encode(secrets.token_bytes(32)).decode()
        write_private(path, keys + "\n")
    return ",".join(keys.split())


@contextlib.contextmanager
def lock(home: Path) -> Iterator[Lock]:
    """Holds the home for one `up`; the kernel lets go of it however the process ends.

    Raises `StackError` naming the URL and the pid of the one that holds it.
    """
    path = home / LOCK_FILE
    with os.fdopen(os.open(path, os.O_RDWR | os.O_CREAT, 0o600), "r+", encoding="utf-8") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            raise _already_running(path, home) from error
        yield Lock(file.fileno())


def held(home: Path) -> bool:
    """True while an `up` holds the home."""
    try:
        with lock(home):
            return False
    except FileNotFoundError:
        return False
    except StackError:
        return True


class Lock:
    """A held lock, in which the holder says who it is."""

    def __init__(self, descriptor: int) -> None:
        self._descriptor = descriptor

    def describe(self, **values: Any) -> None:
        os.ftruncate(self._descriptor, 0)
        os.pwrite(self._descriptor, json.dumps({"pid": os.getpid(), **values}).encode(), 0)


def _already_running(path: Path, home: Path) -> StackError:
    try:
        holder = json.loads(path.read_text("utf-8"))
    except ValueError:
        holder = {}
    where = f" at {holder['url']}" if "url" in holder else ""
    pid = f" (pid {holder['pid']})" if "pid" in holder else ""
    return StackError(
        f"AI Spine is already running{where}{pid}",
        hint=f"It uses the home {home}. Stop it, or set another AISPINE_HOME.",
    )
