"""The code of python agents: loaded under a name of its own, and again when a file of it has changed."""

from __future__ import annotations

import hashlib
import importlib
import inspect
import os
import re
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from types import ModuleType
from typing import Any

from aispine.agent.author import Context
from aispine.agent.capture import LOGGER

Function = Callable[[Any, Any, Context], Any]


class LoadError(Exception):
    """The agent's code cannot be used; the message says why and `__cause__` holds what it raised."""


@dataclass(frozen=True, kw_only=True, slots=True)
class _Loaded:
    function: Function
    package: str
    files: tuple[tuple[str, int], ...]


_loaded: dict[tuple[str, str], _Loaded] = {}
_lock = threading.Lock()


def load(folder: str, entry: str) -> Function:
    """The agent's function, from memory while none of its files has changed. Raises `LoadError`."""
    found = _loaded.get((folder, entry))
    if found is not None and _unchanged(found):
        return found.function
    with _lock:
        return _load(folder, entry)


def part(folder: str, entry: str, name: str) -> ModuleType:
    """A module beside the agent's own, as the agent imports it. Raises `LoadError`."""
    load(folder, entry)
    return importlib.import_module(f"{_package_name(folder, entry)}.{name}")


def _unchanged(loaded: _Loaded) -> bool:
    return all(_modified(path) == time for path, time in loaded.files)


def _modified(path: str) -> int:
    try:
        return os.stat(path).st_mtime_ns  # noqa: PTH116 - looked at in each call, and `Path` costs more than the look
    except OSError:
        return 0


def _load(folder: str, entry: str) -> Function:
    found = _loaded.get((folder, entry))
    if found is not None:
        if _unchanged(found):
            return found.function
        _forget(found.package)
    package = _package_name(folder, entry)
    module, name = entry.split(":")
    with _without_bytecode():
        function = getattr(_import(folder, package, module), name, None)
    if not callable(function) or inspect.iscoroutinefunction(function):
        raise LoadError(f"{module}.py has no plain function `{name}`")
    _loaded[folder, entry] = _Loaded(function=function, package=package, files=tuple(_files(package)))
    return function  # type: ignore[no-any-return]  # what an agent's file holds is known at run time only


def _import(folder: str, package: str, module: str) -> ModuleType:
    """Makes the folder a package of a unique name, so that `from .rules import score` works and nothing clashes."""
    for name, path in ((LOGGER, []), (package, [folder])):
        if name not in sys.modules:
            sys.modules[name] = ModuleType(name)
            sys.modules[name].__path__ = path
    importlib.invalidate_caches()
    try:
        return importlib.import_module(f"{package}.{module}")
    except (Exception, SystemExit) as error:
        _forget(package)
        raise LoadError(f"{module}.py cannot be loaded: {type(error).__name__}: {error}") from error


def _package_name(folder: str, entry: str) -> str:
    digest = hashlib.sha256(f"{folder}\0{entry}".encode()).hexdigest()[:12]
    readable = re.sub(r"\W", "_", Path(folder).name)
    return f"{LOGGER}.{readable}_{digest}"


def _forget(package: str) -> None:
    for name in [name for name in sys.modules if name == package or name.startswith(f"{package}.")]:
        del sys.modules[name]


def _files(package: str) -> Iterator[tuple[str, int]]:
    for name, module in list(sys.modules.items()):
        path = getattr(module, "__file__", None)
        if path and name.startswith(f"{package}."):
            yield path, _modified(path)


@contextmanager
def _without_bytecode() -> Iterator[None]:
    """A .pyc counts as current when second and size fit: an agent edited twice in a second would stay the old one."""
    before = sys.dont_write_bytecode
    sys.dont_write_bytecode = True
    try:
        yield
    finally:
        sys.dont_write_bytecode = before
