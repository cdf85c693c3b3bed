"""Settings: `AISPINE_*` wins over the project's `aispine.toml`, which wins over the running local stack's file."""

from __future__ import annotations

import functools
import json
import math
import os
import tomllib
from collections.abc import Callable, Mapping
from dataclasses import dataclass, fields, replace
from pathlib import Path
from typing import Any, Final

from aispine.errors import InvalidRequest

PROJECT_FILE: Final = "aispine.toml"
STACK_FILE: Final = "stack.json"
"""Written by `aispine up` in the home, mode 600: the URLs and the key of the running local stack."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Settings:
    """Every setting, one field each; the environment variable is `AISPINE_` and the name in capitals."""

    home: Path = Path("~/.aispine")
    public_url: str | None = None
    """Where agents and channels outside reach the API; `url` where it is unset."""
    # Where a client finds the API.
    url: str | None = None
    api_key: str | None = None
    # Where the processes find their servers. Unset means the embedded stack.
    database_url: str | None = None
    web_database_url: str | None = None
    engine_database_url: str | None = None
    redis_url: str | None = None
    broker_url: str | None = None
    encryption_keys: str | None = None
    allowed_hosts: str | None = None
    """Hosts and networks that calls may go to though they are not public, separated by commas."""
    files_url: str | None = None
    """Where contents of files are kept, `s3://bucket/prefix?endpoint=...`; unset, in PostgreSQL."""
    # Channels.
    whatsapp_url: str = "https://graph.facebook.com/v23.0"
    telegram_url: str = "https://api.telegram.org"
    # The web process.
    host: str = "127.0.0.1"
    port: int = 8700
    web_threads: int = 8
    metrics_token: str | None = None
    """Who may read `/metrics`; unset, the bearer of any API key may."""
    web_streams: int = 512
    """How many event streams a web process serves at once, each on a thread that sleeps while nothing happens."""
    # The workers.
    engine_concurrency: int = 2
    cpu_concurrency: int = 2
    io_concurrency: int = 256
    tasks_per_child: int = 10_000
    """How many messages a process of a prefork pool takes before a new one takes its place; 0 never replaces one."""
    task_events: bool = False
    agents_path: str = ""
    """Folders with python agents besides the built-in ones, separated by `:`."""
    # The engine; all in seconds.
    lease: float = 10.0
    heartbeat: float = 3.0
    slice: float = 0.25
    ahead: float = 0.02
    """For how long the ends of quick nodes may wait to be recorded together; 0 records each on its own."""
    tick: float = 1.0
    max_lost_attempts: int = 3
    node_timeout: float = 30.0
    retention: float = 2_592_000.0
    """How long an execution is kept after its end; 0 keeps all."""
    call_retention: float = 2_592_000.0
    """How long the audit of a call is kept; 0 keeps it."""
    file_retention: float = 2_592_000.0
    """How long a file is kept for which nobody says; 0 keeps it."""
    picture_retention: float = 2_592_000.0
    """How long a picture or document is kept that a person sends over a channel; 0 as long as any file."""
    max_iterations: int = 10_000
    """The largest bound that a loop may have in a flow that is deployed from now on."""
    # Limits; all in bytes.
    max_flow_bytes: int = 1_000_000
    max_value_bytes: int = 1_000_000
    max_response_bytes: int = 10_000_000
    max_log_bytes: int = 1_000_000
    max_file_bytes: int = 100_000_000
    # Logging.
    log_level: str = "info"
    log_format: str = "auto"
    """`json`, `console`, or `auto`: console on a terminal and json elsewhere."""

    @property
    def stack_file(self) -> Path:
        return self.home / STACK_FILE


def load(directory: Path | None = None, *, stack: bool = True) -> Settings:
    """Reads the settings of a process.

    `stack=False` leaves the local stack's file out: `aispine up` must not take what it wrote for the user's wish.
    Raises `InvalidRequest` naming the variable or key that cannot be read.
    """
    project = _project(directory or Path.cwd())
    settings = _from_environment(replace(Settings(), **project))
    settings = replace(settings, home=settings.home.expanduser().absolute())
    return _with_stack(settings, project) if stack else settings


@functools.lru_cache(maxsize=1)
def current() -> Settings:
    """The settings of this process, read once."""
    return load()


def _from_environment(base: Settings) -> Settings:
    values: dict[str, Any] = {}
    for field in fields(Settings):
        text = os.environ.get(f"AISPINE_{field.name.upper()}", "").strip()
        if text:
            values[field.name] = _read_variable(field.name, str(field.type), text)
    return replace(base, **values)


def _read_variable(name: str, kind: str, text: str) -> Any:
    reader, expected = _READERS.get(kind, (str, "text"))
    try:
        return reader(text)
    except ValueError as error:
        raise InvalidRequest(
            f"AISPINE_{name.upper()} must be {expected}; it is `{text}`", field=name, hint="See docs/settings.md."
        ) from error


def _boolean(text: str) -> bool:
    if text.lower() not in _BOOLEANS:
        raise ValueError(text)
    return _BOOLEANS[text.lower()]


def _number(text: str) -> float:
    number = float(text)
    if not math.isfinite(number):
        raise ValueError(text)
    return number


_BOOLEANS: Final = dict.fromkeys(("true", "yes", "on", "1"), True) | dict.fromkeys(("false", "no", "off", "0"), False)
_READERS: Final[Mapping[str, tuple[Callable[[str], Any], str]]] = {
    "int": (int, "a whole number"),
    "float": (_number, "a number"),
    "bool": (_boolean, "true or false"),
    "Path": (Path, "a path"),
}


def project_folder(directory: Path | None = None) -> Path | None:
    """The folder of the project that the directory lies in: the nearest one with an `aispine.toml`."""
    start = directory or Path.cwd()
    return next((folder for folder in (start, *start.parents) if (folder / PROJECT_FILE).is_file()), None)


def _project(directory: Path) -> dict[str, Any]:
    folder = project_folder(directory)
    return {} if folder is None else _read_project(folder / PROJECT_FILE)


def _read_project(path: Path) -> dict[str, Any]:
    try:
        values = tomllib.loads(path.read_text("utf-8"))
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise InvalidRequest(f"{path} is not valid TOML: {error}") from error
    types = {field.name: str(field.type) for field in fields(Settings)}
    for name, value in values.items():
        if name not in types:
            raise InvalidRequest(f"{path}: there is no setting `{name}`", field=name, hint="See docs/settings.md.")
        if type(value).__name__ not in _TOML_TYPES[types[name]]:
            raise InvalidRequest(f"{path}: `{name}` must be of type {types[name]}", field=name)
    if "home" in values:
        values["home"] = path.parent / Path(values["home"]).expanduser()
    if "agents_path" in values:
        values["agents_path"] = _from(path.parent, values["agents_path"])
    return values


def _from(folder: Path, paths: str) -> str:
    """Paths of a project's file are relative to it, whatever directory a command is run in."""
    return ":".join(str(folder / Path(part).expanduser()) for part in paths.split(":") if part)


_TOML_TYPES: Final = {
    "int": ("int",),
    "float": ("float", "int"),
    "bool": ("bool",),
    "str": ("str",),
    "str | None": ("str",),
    "Path": ("str",),
}


def _with_stack(settings: Settings, project: dict[str, Any]) -> Settings:
    """Fills what nobody set from the running local stack's file."""
    try:
        values = json.loads(settings.stack_file.read_text("utf-8"))
    except (OSError, ValueError):
        return settings
    unset = {
        name: value
        for name, value in values.items()
        if name in _STACK_KEYS and getattr(settings, name) is None and name not in project
    }
    return replace(settings, **unset)


_STACK_KEYS: Final = frozenset(
    {"url", "api_key", "database_url", "web_database_url", "engine_database_url", "redis_url", "broker_url"}
    | {"encryption_keys", "allowed_hosts"}
)
