"""`aispine up`: the whole product on this machine, from the first server to the last worker, and back down."""

from __future__ import annotations

import contextlib
import json
import os
import socket
import sys
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import fields, replace
from pathlib import Path
from typing import Any, Final

from aispine.errors import StackError
from aispine.guards import rules
from aispine.settings import Settings
from aispine.stack import banner, bootstrap, embedded, home, output, procfile, worker
from aispine.stack.address import Address, ask, health
from aispine.stack.ledger import Ledger
from aispine.stack.process import Program
from aispine.stack.signals import RestartRequest, StopRequest, restart_request, stop_request
from aispine.stack.supervisor import Supervisor

WEB: Final = "web"
WEB_SOCKET: Final = "AISPINE_WEB_SOCKET"
"""Tells the web process the number of the open socket that it inherits."""
_TAKES_SOCKET: Final = "python:api.gunicorn"
_RESTARTING: Final = "\nRestarting one process after the other; requests and nodes go on."
FLOWER: Final = "flower"
_START_SECONDS: Final = 90.0
_READY_SECONDS: Final = 20.0
"""How long the banner waits for the workers; they go on starting after it."""
_LOOK_SECONDS: Final = 0.2
_WORKERS: Final = "/api/v1/workers"
_WEB_FAILURES: Final = 3
_STOP_SECONDS: Final = 35.0
"""Longer than the workers' own patience, so that they end by themselves."""
_STOPPING: Final = (
    f"\nStopping. Nodes that run may finish, for up to {_STOP_SECONDS:g} s; Ctrl-C again does not wait for them."
)
_WITHHELD: Final = frozenset({"database_url", "api_key"})
"""What no child needs: the owner's login is for migrations, the key is a user's."""


def up(
    settings: Settings,
    *,
    flower: bool,
    say: Callable[[str], None],
    path: Path | None = None,
    suggestions: Sequence[banner.Suggestion] = (),
) -> None:
    """Starts everything, says so once it answers, and returns after a signal has stopped it all.

    `path` is the Procfile, the product's own where None; the suggestions are what to try next.
    Raises `StackError` when the home is in use, the port is taken or a part does not start, `InvalidRequest`
    when an allowed host cannot be read or the broker refuses, `BrokerUnavailable` when it does not answer; then
    nothing runs.
    """
    if flower:
        worker.check_flower(settings)
        settings = replace(settings, task_events=True)
    rules.of(settings)  # A host that cannot be read is told now, not at the first call.
    _check_broker(settings)
    address = Address(host=settings.host, port=settings.port)
    folder = home.prepare(settings.home)
    file = path or procfile.find()
    with home.lock(folder) as lock, stop_request() as stop, restart_request() as restart:
        lock.describe(url=address.url)
        ledger = Ledger(folder)
        ledger.end_leftovers()
        with _listening(address, file) as listener:
            keys = bootstrap.keys(settings)
            supervisor = Supervisor(output.choose(settings.log_format), ledger)
            with _stopped_at_the_end(supervisor, settings, stop, say):
                servers = embedded.start(settings, ledger)
                for process in servers.processes:
                    supervisor.adopt(process)
                stack = _prepare(settings, address, servers, keys)
                programs = _programs(file, settings, stack, listener, flower=flower)
                if _answers(supervisor, programs, address, stop):
                    late = _not_ready(supervisor, programs, address, stack["api_key"], stop)
                    running = _running(settings, stack, late, flower=flower)
                    say(banner.banner(running, suggestions, coloured=sys.stdout.isatty()))
                _supervise(supervisor, stop, restart, say)


def _supervise(supervisor: Supervisor, stop: StopRequest, restart: RestartRequest, say: Callable[[str], None]) -> None:
    """Keeps everything running until it is asked to stop; a restart goes from one program to the next."""
    while not stop.made:
        supervisor.run(until=lambda: stop.made or restart.made)
        if restart.take():
            say(_RESTARTING)
            supervisor.replace_all()


@contextlib.contextmanager
def _listening(address: Address, file: Path) -> Iterator[socket.socket | None]:
    """Holds the socket of the API, so that a connection finds it open whatever becomes of the web process.

    None for a Procfile whose web process is not ours: it opens a socket by itself.
    """
    if _TAKES_SOCKET not in file.read_text("utf-8"):
        address.check_free()
        yield None
        return
    with address.listen() as listener:
        yield listener


def _check_broker(settings: Settings) -> None:
    """Raises `BrokerUnavailable` or `InvalidRequest` for a broker of the user's own that cannot be used."""
    if settings.broker_url is not None:
        from aispine.engine import transport

        transport.check(transport.of(settings.broker_url))


@contextlib.contextmanager
def _stopped_at_the_end(
    supervisor: Supervisor, settings: Settings, stop: StopRequest, say: Callable[[str], None]
) -> Any:
    try:
        yield
    finally:
        settings.stack_file.unlink(missing_ok=True)
        if stop.made:
            say(_STOPPING)
        supervisor.stop(impatient=lambda: stop.impatient)
        if stop.made:
            say(f"Stopped. The data stays in {settings.home}.")


def _prepare(settings: Settings, address: Address, servers: embedded.Servers, keys: str) -> Mapping[str, str | None]:
    """Migrates the database and writes the stack file, by which commands and processes find everything."""
    made = bootstrap.run(
        servers.database_url, keys, settings.home / home.API_KEY_FILE, procfile.environment(os.environ)
    )
    stack = {
        "url": address.url,
        "api_key": settings.api_key or made.api_key,
        "database_url": servers.database_url,
        "web_database_url": settings.web_database_url or made.web_database_url,
        "engine_database_url": settings.engine_database_url or made.engine_database_url,
        "redis_url": servers.redis_url,
        "broker_url": settings.broker_url,
        "encryption_keys": keys,
        "allowed_hosts": _allowed_hosts(settings, address),
    }
    known = {name: value for name, value in stack.items() if value is not None}
    home.write_private(settings.stack_file, json.dumps(known, indent=2) + "\n")
    return stack


def _allowed_hosts(settings: Settings, address: Address) -> str | None:
    """Agents on the same machine may be called where everything else is on it too, and for nobody else."""
    own = settings.database_url is None and address.is_local
    return settings.allowed_hosts or (rules.LOOPBACK if own else None)


def _programs(
    path: Path, settings: Settings, stack: Mapping[str, str | None], listener: socket.socket | None, *, flower: bool
) -> list[Program]:
    env = _environment(settings, stack)
    wanted = [_with_socket(program, listener) for program in procfile.read(path, env, settings.home)]
    if WEB not in (program.name for program in wanted):
        raise StackError(f"{path} names no process `{WEB}`")
    return [replace(program, stop_seconds=_STOP_SECONDS) for program in wanted if flower or program.name != FLOWER]


def _with_socket(program: Program, listener: socket.socket | None) -> Program:
    """The web process with the socket that it is to answer on."""
    if listener is None or program.name != WEB:
        return program
    number = listener.fileno()
    return replace(program, env={**program.env, WEB_SOCKET: str(number)}, descriptors=(number,), tells_ready=True)


def _environment(settings: Settings, stack: Mapping[str, str | None]) -> dict[str, str]:
    """The environment of every child: each setting under its own variable, whatever file it came from."""
    env = procfile.environment({**os.environ, "PYTHONUNBUFFERED": "1"})
    values = {field.name: getattr(settings, field.name) for field in fields(Settings)} | dict(stack)
    values |= {"log_format": output.resolve(settings.log_format, sys.stderr), "agents_path": _absolute(settings)}
    for name, value in values.items():
        env.pop(f"AISPINE_{name.upper()}", None)
        if value not in {None, ""} and name not in _WITHHELD:
            env[f"AISPINE_{name.upper()}"] = str(value)
    return env | ({"FORCE_COLOR": "1"} if sys.stderr.isatty() else {})


def _absolute(settings: Settings) -> str:
    # The children run in the home, so that no folder named like one of our packages can stand before it.
    return ":".join(str(Path(part).expanduser().absolute()) for part in settings.agents_path.split(":") if part)


def _answers(supervisor: Supervisor, programs: list[Program], address: Address, stop: StopRequest) -> bool:
    """Starts the programs; True once /health answers, False when a signal came first."""
    answered = False

    def over() -> bool:
        nonlocal answered
        answered = health(address) is not None
        return answered or stop.made or supervisor.failures(WEB) >= _WEB_FAILURES

    if stop.made:
        return False
    supervisor.start(programs)
    supervisor.run(until=over, seconds=_START_SECONDS)
    if answered or stop.made:
        return answered
    raise StackError(
        f"the web process does not answer at {address.url}/health",
        hint="What it printed is shown above; see also aispine doctor.",
    )


def _not_ready(
    supervisor: Supervisor, programs: list[Program], address: Address, api_key: str | None, stop: StopRequest
) -> Sequence[str]:
    """The workers that have not said that they live within a while; none where there is no key to ask with."""
    wanted = [program.name for program in programs if "worker" in program.argv]
    deadline = time.monotonic() + _READY_SECONDS
    while api_key is not None and wanted and not stop.made and time.monotonic() < deadline:
        supervisor.run(until=lambda: stop.made, seconds=_LOOK_SECONDS)
        answer = ask(address, _WORKERS, api_key=api_key) or {}
        alive = {row["pid"] for row in answer.get("data", ()) if row["state"] == "active"}
        wanted = [name for name in wanted if supervisor.pid(name) not in alive]
    return wanted if api_key else ()


def _running(
    settings: Settings, stack: Mapping[str, str | None], starting: Sequence[str], *, flower: bool
) -> banner.Running:
    file = settings.home / home.API_KEY_FILE
    return banner.Running(
        url=str(stack["url"]),
        api_key=stack["api_key"],
        key_file=file if stack["api_key"] and home.read_text(file) == stack["api_key"] else None,
        home=settings.home,
        flower_url=f"http://127.0.0.1:{worker.FLOWER_PORT}" if flower else None,
        starting=starting,
    )
